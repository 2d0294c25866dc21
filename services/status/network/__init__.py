"""Topic: the networks of associations, by name."""
