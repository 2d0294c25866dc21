"""Intake's access, tested."""
