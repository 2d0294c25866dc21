"""Bounces: letters that came back: taken at a door of their own, read, and what follows from them."""
