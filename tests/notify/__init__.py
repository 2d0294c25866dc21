"""Tests of notify: subscribers, guidance, feeds and delivery."""
