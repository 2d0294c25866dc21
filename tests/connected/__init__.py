"""Tests on the real parts: nats-server, SQLite, PostgreSQL, SMTP."""
