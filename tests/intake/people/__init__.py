"""Intake's people, tested."""
