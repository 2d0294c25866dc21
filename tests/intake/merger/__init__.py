"""Intake's merger, tested."""
