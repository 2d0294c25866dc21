"""Audit: what the staff did with guidance, subscribers and channels, append-only and chained."""
