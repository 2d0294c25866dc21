"""Tests of the audit of notify."""
