"""Schema: the tables of enrolment."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from services.exercise.schema import ExerciseTable
from shared.db import UtcDateTime


class SignUpRow(ExerciseTable, table=True):
    """Somebody who wants to take part. `address` is written as `read_address` gives it, and `told` is what was known of
    the exercise when it was confirmed or told of last, as `standing` gives it."""

    __tablename__ = "sign_up"
    __table_args__ = (UniqueConstraint("realm", "address"), Index("sign_up_unconfirmed", "state", "asked_at"))

    id: UUID = Field(primary_key=True)
    realm: str
    address: str
    association: str
    locale: str
    state: str
    asked_at: datetime = Field(sa_type=UtcDateTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    told: str | None = None


class SignUpLink(ExerciseTable, table=True):
    """A link that leads to a sign-up; what it leads by is kept as its hash alone."""

    __tablename__ = "sign_up_link"

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    sign_up_id: UUID = Field(index=True)
    made_at: datetime = Field(sa_type=UtcDateTime)
