"""Topic: the registry as far as this service knows it: names and places of associations."""
