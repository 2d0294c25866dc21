"""Topic: exceptional situations, and the rounds in which associations are asked."""
