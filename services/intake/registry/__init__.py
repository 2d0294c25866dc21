"""Registry: the associations, their contacts, and how lists of them are imported."""
