"""Topic: situation reports, numbered and frozen."""
