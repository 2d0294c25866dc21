"""Invented associations, people and answers, with the region's real totals, to try the system with."""
