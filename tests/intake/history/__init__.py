"""Intake's history, tested."""
