"""Reminder: those who have not answered are asked once more, each time with fewer words."""
