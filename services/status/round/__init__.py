"""Topic: opening a round, which freezes whom it asks."""
