"""Tests of what the relay and each domain may be given."""
