"""Retention: the texts of letters are removed when they have been over for long, and unconfirmed addresses soon."""
