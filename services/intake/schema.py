"""Schema: the tables of intake's topics belong together here."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel


class IntakeTable(SQLModel, registry=registry()):
    """The tables of this service."""
