"""Tests of the house itself: layout, catalogues, contracts, settings."""
