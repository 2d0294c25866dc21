"""Tests of forgotten."""
