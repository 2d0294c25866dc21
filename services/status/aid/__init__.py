"""Topic: what associations offer and need in a situation, and which of these have found each other."""
