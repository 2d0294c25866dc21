"""Intake's registry, tested."""
