"""Tests of the service `status`."""
