"""Intake's capabilities, tested."""
