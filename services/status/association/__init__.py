"""Topic: the registry as far as this service knows it: associations by name, place and what they can do."""
