"""Intake's partners, tested."""
