"""Topic: the injects of an exercise that are mailed, as letters to its roster."""
