"""Intake, tested."""
