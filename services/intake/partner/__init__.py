"""Partner: the systems of others, their keys, and the API that they use."""
