"""Invitation's tables: rounds as they were heard of, invitations, and their links."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, LargeBinary, UniqueConstraint
from sqlmodel import Field

from services.intake.schema import IntakeTable
from shared.db import UtcDateTime


class RoundRow(IntakeTable, table=True):
    """A round as intake knows it. Its closing may be heard before its opening: then it has no names yet."""

    __tablename__ = "round"

    round_id: UUID = Field(primary_key=True)
    situation_id: UUID
    realm: str
    names: dict[str, str] = Field(sa_type=JSON)
    urgent: bool = False
    closes_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Invitation(IntakeTable, table=True):
    """One association asked in one round. `position` is how many of its contacts have been asked, and `asked_at` when
    the last of them was; `checkin_id` is its present answer; one that said "not this time" is reminded no more. One
    that is `simulated` takes no part in its exercise: nobody of it is written to or called."""

    __tablename__ = "invitation"
    __table_args__ = (UniqueConstraint("realm", "round_id", "association_id"),)

    id: UUID = Field(primary_key=True)
    realm: str
    round_id: UUID
    association_id: UUID
    state: str
    position: int
    letter_state: str
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    declined_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    checkin_id: UUID | None = None
    simulated: bool = False


class InvitationToken(IntakeTable, table=True):
    """A link to the answer form, known by its hash only, and the recipient to whom it was sent: a contact by letter,
    or nobody in person, on paper. `position` counts those who are asked, from 1, in the order in which they were: what
    place they have in the register may change meanwhile. `reply_hash` is that of the address to which the letter can
    be answered; `failure` is what a mail server said of the letter when it `failed_at`; a `reminder` is numbered from
    1."""

    __tablename__ = "invitation_token"

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    invitation_id: UUID = Field(index=True)
    contact_id: UUID | None = Field(index=True)
    position: int
    recipient_id: UUID = Field(unique=True)
    reply_hash: bytes | None = Field(default=None, sa_type=LargeBinary, unique=True)
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failure: str = ""
    reminder: int = 0
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
