"""Tests that kill, stop and poison: nothing is lost, and nothing happens twice."""
