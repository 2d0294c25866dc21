"""Tests of what the benchmarks tell; nothing is timed here."""
