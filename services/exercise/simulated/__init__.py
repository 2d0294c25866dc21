"""Topic: how simulated associations answer in an exercise."""
