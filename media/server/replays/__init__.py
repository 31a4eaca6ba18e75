"""Replays: Spaces that their hosts let people hear again, and the podcasts that these are episodes of."""
