"""Topic: an answer of an association, those that differ within a minute, and the one that is pinned."""
