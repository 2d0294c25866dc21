"""The service `exercise`: it rehearses what the others do, and alarms nobody."""
