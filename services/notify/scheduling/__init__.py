"""Scheduling: approved guidance that is released at a later moment."""
