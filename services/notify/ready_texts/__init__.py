"""Ready texts: guidance for common situations in four languages, to begin from."""
