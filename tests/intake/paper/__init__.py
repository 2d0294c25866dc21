"""Intake's paper, tested."""
