"""Plain language: what makes guidance hard to read, and the few words that it may never use."""
