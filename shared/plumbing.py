"""Plumbing: the tables that every service has in its own database: nothing lost, nothing twice."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, Integer, LargeBinary, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from shared.db import UtcDateTime

SERIAL = BigInteger().with_variant(Integer, "sqlite")
"""A growing number made by the database (SQLite counts only in INTEGER)."""


class Plumbing(SQLModel, registry=registry()):
    """The tables of this module."""


class OutboxRow(Plumbing, table=True):
    """An event that is saved and not yet published."""

    __tablename__ = "outbox"

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    stream: str
    subject: str
    headers: dict[str, str] = Field(sa_type=JSON)
    body: bytes = Field(sa_type=LargeBinary)
    saved_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True)
class Saved:
    """An event as it waits in the outbox."""

    id: int
    stream: str
    subject: str
    headers: dict[str, str]
    body: bytes
    saved_at: datetime


class UnconfirmedRow(Plumbing, table=True):
    """An event that is published; `awaits` names the services that have not confirmed it, each after a space."""

    __tablename__ = "unconfirmed"

    event_id: UUID = Field(primary_key=True)
    subject: str
    headers: dict[str, str] = Field(sa_type=JSON)
    body: bytes = Field(sa_type=LargeBinary)
    awaits: str
    tries: int
    published_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime, index=True)


class InboxRow(Plumbing, table=True):
    """An event that a consumer of this service has applied."""

    __tablename__ = "inbox"

    consumer: str = Field(primary_key=True)
    event_id: UUID = Field(primary_key=True)
    applied_at: datetime = Field(sa_type=UtcDateTime, index=True)


class DeadLetter(Plumbing, table=True):
    """A message that cannot be handled, with its reason, until an administrator replays or discards it."""

    __tablename__ = "dead_letter"
    __table_args__ = (
        UniqueConstraint("stream", "consumer", "sequence"),
        Index("dead_letter_open", "settled_at", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    stream: str
    consumer: str
    sequence: int = Field(sa_type=BigInteger)
    subject: str
    headers: dict[str, str] = Field(sa_type=JSON)
    body: bytes = Field(sa_type=LargeBinary)
    reason: str
    buried_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_as: str | None = None


class JobSlot(Plumbing, table=True):
    """A slot of a once-per-slot job, claimed by whoever inserts it first."""

    __tablename__ = "job_slot"

    job: str = Field(primary_key=True)
    slot: str = Field(primary_key=True)
    claimed_at: datetime = Field(sa_type=UtcDateTime)


class EndedSession(Plumbing, table=True):
    """A session that was ended before its time; forgotten when it would have ended by itself."""

    __tablename__ = "ended_session"

    session_id: UUID = Field(primary_key=True)
    valid_until: datetime = Field(sa_type=UtcDateTime, index=True)


def row_values(row: Plumbing) -> dict[str, Any]:
    """The columns of a row that are set, as an INSERT takes them."""
    return row.model_dump(exclude_unset=True)
