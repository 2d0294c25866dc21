"""History: the answers of an association as they came, one after another, for its contacts and for the staff."""
