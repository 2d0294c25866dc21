"""Intake's editing, tested."""
