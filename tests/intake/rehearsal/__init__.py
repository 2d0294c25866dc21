"""Intake's part in exercises, tested."""
