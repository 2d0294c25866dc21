"""Benchmarks: the busy paths against their peers, in the same run on the same machine."""
