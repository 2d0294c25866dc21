"""Retention, tested."""
