"""Tests of broadcast."""
