"""Topic: who takes part in an exercise, and that nothing of it goes out when it is over."""
