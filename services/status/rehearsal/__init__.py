"""Topic: what an exercise opens and ends in its own realm."""
