"""Audit: which answers the staff pinned, append-only and chained."""
