"""Work list: what waits for a clerk, in one place."""
