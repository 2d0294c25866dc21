"""Schema: the registry to which all tables of this service belong."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel


class StatusTable(SQLModel, registry=registry()):
    """A table of the service `status`. None of them may ever hold personal data."""
