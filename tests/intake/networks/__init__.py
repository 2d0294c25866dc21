"""Intake's networks, tested."""
