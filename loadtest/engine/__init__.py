"""Synthetic WebRTC clients, real on the wire and free of gevent: run it with ``python -m loadtest.engine``."""
