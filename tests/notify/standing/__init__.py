"""Tests of standing guidance."""
