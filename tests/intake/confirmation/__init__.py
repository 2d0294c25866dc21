"""Intake's confirmation, tested."""
