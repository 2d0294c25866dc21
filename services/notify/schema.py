"""Schema: the one metadata of all tables of notify."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel


class NotifyTable(SQLModel, registry=registry()):
    """The tables of notify; each stands in its topic's store."""
