"""Children: real services, each with exactly one step replaced by one that kills its own process there."""
