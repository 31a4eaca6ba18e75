"""Alembic's way in: it is always called with a connection, by :mod:`media.server.store`."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
