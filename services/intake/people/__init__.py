"""People: the staff, as an administrator keeps the list of them."""
