"""Benchmarks: each measures a figure beside its floor or its peers in one run, and says what machine it was."""
