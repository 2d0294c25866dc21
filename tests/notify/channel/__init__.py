"""Tests of the queue of channels, and of messengers."""
