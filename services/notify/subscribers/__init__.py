"""Subscribers: who wants guidance, for which groups and places, and on what ground we may write to them."""
