"""Tests of the ready texts."""
