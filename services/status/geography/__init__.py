"""Topic: the outlines of the municipalities, as an operator brought them; without them there is no map."""
