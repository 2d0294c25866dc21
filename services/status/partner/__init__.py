"""Topic: the systems of partners, which read the picture by keys of their own."""
