"""Forgotten: addresses that were erased, as keyed hashes, so that no list brings a person back."""
