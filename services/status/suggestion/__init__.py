"""Suggestion: warnings of authorities that concern our region, shown to the liaison, who alone opens a situation."""
