"""Evidence copies of Spaces on this machine's disk: their keys, and what becomes of them."""
