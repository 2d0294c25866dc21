"""Topic: how each association stands in a situation, and the tallies of that."""
