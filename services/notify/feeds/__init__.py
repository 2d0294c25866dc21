"""Feeds: what everybody may read without being known to us."""
