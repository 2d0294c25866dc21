"""Retention: what people wrote in their own words is removed when its situation has been over for long."""
