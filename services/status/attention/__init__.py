"""Topic: figures that the liaison asked to be called about when they are too low, and the calls."""
