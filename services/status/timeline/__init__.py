"""Topic: the course of a situation, written as it goes, and how it ended."""
