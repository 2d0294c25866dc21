"""Guidance: written by one person, approved by another, published and broadcast once."""
