"""Reminders, tested."""
