"""Invitation: who is asked in a round, by which link, and who could not be reached."""
