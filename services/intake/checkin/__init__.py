"""Check-in: the answer form of an association, and its answers as they were received."""
