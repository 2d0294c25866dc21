"""Tests of the service `exercise`."""
