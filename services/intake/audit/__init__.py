"""Audit: what the staff did, row after row, so that a changed or missing row shows."""
