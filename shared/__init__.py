"""What every service stands on: events, realm, clock, settings, database, bus, identity, texts, web frame."""
