"""Assisted moderation while Spaces are live: what is heard and read becomes hints for reviewers, and no act."""
