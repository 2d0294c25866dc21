"""Topic: partner links, by which others read a report without signing in."""
