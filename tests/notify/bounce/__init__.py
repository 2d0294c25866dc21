"""Tests of bounces."""
