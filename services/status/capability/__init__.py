"""Topic: who can still do what, where, right now."""
