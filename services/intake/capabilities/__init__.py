"""Capabilities: who can do what, and where."""
