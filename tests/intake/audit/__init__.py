"""Intake's audit, tested."""
