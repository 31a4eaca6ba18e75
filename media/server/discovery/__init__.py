"""Who finds a Space: the bubbles of a follower, search, topics, and why each entry stands where it does."""
