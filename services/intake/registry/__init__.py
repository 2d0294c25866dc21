"""Registry: the associations, what they can do, their networks, and who answers for them."""
