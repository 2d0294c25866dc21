"""Editing: an association's details, as the clerks keep them."""
