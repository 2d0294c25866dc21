"""Delivery: the ledger of letters, the gate before SMTP, the letters' texts, and the sending."""
