"""Schema: the registry to which all tables of this service belong."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel


class ExerciseTable(SQLModel, registry=registry()):
    """A table of the service `exercise`."""
