"""Tests of answers that come as mail."""
