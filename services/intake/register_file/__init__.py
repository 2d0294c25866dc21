"""Register files: lists of associations that are read into the register, and written from it."""
