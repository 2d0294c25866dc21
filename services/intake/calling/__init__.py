"""Calling: who has not answered, in which order they are called, and by whom just now."""
