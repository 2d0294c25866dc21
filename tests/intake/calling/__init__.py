"""Intake's calling, tested."""
