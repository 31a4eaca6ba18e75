"""Hypothesis tries the same examples every time, and is not held to a deadline on a shared machine."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
