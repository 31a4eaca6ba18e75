"""The control plane: HTTP API, tokens, store, services, metrics."""
