"""Intake's checkin, tested."""
