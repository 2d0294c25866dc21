"""Topic: the actions that a scenario expects, and whether they were done."""
