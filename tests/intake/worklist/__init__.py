"""Intake's work list, tested."""
