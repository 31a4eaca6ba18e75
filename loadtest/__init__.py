"""Swarms of synthetic listeners and speakers, and the benchmarks."""
