"""Topic: the director, who puts in each inject when the clock of the exercise says so, once."""
