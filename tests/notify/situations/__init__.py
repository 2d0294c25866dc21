"""Tests of known situations."""
