"""Tests of the topic `rehearsal`."""
