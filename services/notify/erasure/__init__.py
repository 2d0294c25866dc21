"""Erasure: a person learns what we hold of her, and is gone from every table but for a keyed hash of her address."""
