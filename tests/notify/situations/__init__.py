"""Tests of situations."""
