"""Topic: announcements: when an exercise is to be, what the public is told of it, and its entry in calendars."""
