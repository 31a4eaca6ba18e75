"""How much one person, and one address, may ask for: token buckets in front of every route."""
