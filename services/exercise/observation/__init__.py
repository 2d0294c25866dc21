"""Topic: what those who led and watched an exercise saw: strengths, and what is to improve."""
