"""Tests of webhooks, against a receiver that does as it is told."""
