"""Intake's invitation, tested."""
