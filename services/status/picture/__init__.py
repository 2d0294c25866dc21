"""Topic: the situation picture, still and live."""
