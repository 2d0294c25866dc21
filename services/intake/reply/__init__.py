"""Reply: answers that come as mail, what they say, and those that a person must read."""
