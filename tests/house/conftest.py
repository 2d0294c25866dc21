"""Fixtures for the tests of the house as a whole."""

from tests.intake.conftest import intake

__all__ = ["intake"]
