"""Alembic's migrations; the server runs them at start, so that a new version finds the store it expects."""
