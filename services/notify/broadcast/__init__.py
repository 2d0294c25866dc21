"""Broadcast: an approved revision to everybody whom it concerns, once."""
