"""Tests of subscriber files."""
