"""Topic: who takes part in an exercise, as those to whom its guidance and its injects go."""
