"""Exit statuses of a headless load run, apart so that they can be read without importing Locust."""

EXIT_FAILURES = 1
"""The run was made and some requests failed (Locust's own status)."""
EXIT_INVALID = 3
"""The generator was saturated: the figures of this run must not be used."""
