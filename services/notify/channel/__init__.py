"""Channel: the ways by which releases leave the house beside mail, one small interface and one queue for all."""
