"""Allowance: how many letters the relay, and each domain that receives them, may be given at a time."""
