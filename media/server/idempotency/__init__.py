"""Repeated requests that are done once: the ``Idempotency-Key`` of draft-ietf-httpapi-idempotency-key-header."""
