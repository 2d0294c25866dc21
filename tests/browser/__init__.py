"""Tests in a real Chromium, on the whole system."""
