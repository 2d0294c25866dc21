"""Answers that differ are kept beside the newest, and one may be pinned; boundaries are kept in degrees too."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

MOMENT = sa.DateTime(timezone=True)
KEY = ("realm", "situation_id", "association_id")
TYPES: dict[str, Any] = {
    "realm": sa.String(),
    "situation_id": sa.Uuid(),
    "association_id": sa.Uuid(),
    "status": sa.String(),
    "checkin_id": sa.Uuid(),
    **dict.fromkeys(("reported_at", "fresh_until", "until"), MOMENT),
    "answers": sa.JSON(),
}
AT_ONCE = 1_000


def upgrade() -> None:
    """What each association answered last is the one answer that is known of it; the way by which it came is not.

    Boundaries come with the next import of outlines.
    """
    op.add_column("standing", sa.Column("answers", sa.JSON))
    op.add_column("standing", sa.Column("pin", sa.JSON))
    op.add_column("standing", sa.Column("disputed", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("municipality_shape", sa.Column("polygons", sa.JSON))
    _keep_answers()


def _keep_answers() -> None:
    standing = sa.table("standing", *(sa.column(name, of_type) for name, of_type in TYPES.items()))
    connection = op.get_bind()
    answered = sa.select(standing).where(standing.c.checkin_id.is_not(None), standing.c.status.is_not(None))
    rows = [
        {**{f"the_{name}": row[name] for name in KEY}, "answers": [_answer(row)]}
        for row in connection.execute(answered).mappings()
    ]
    moved = sa.update(standing).where(*(standing.c[name] == sa.bindparam(f"the_{name}") for name in KEY))
    for start in range(0, len(rows), AT_ONCE):
        connection.execute(moved, rows[start : start + AT_ONCE])


def _answer(row: sa.RowMapping) -> dict[str, str | None]:
    return {
        "checkin_id": str(row["checkin_id"]),
        "status": row["status"],
        **{name: _written(row[name]) for name in ("reported_at", "fresh_until", "until")},
        "channel": None,
    }


def _written(moment: datetime | None) -> str | None:
    """SQLite gives moments without a time zone: they are UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
