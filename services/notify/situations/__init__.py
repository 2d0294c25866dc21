"""Situations: what notify knows of the exceptional situations that status opens and closes."""
