"""Intake's contacts, tested."""
