"""Outlines of the municipalities for the map; rules by which low figures call for attention."""

from collections import Counter

import sqlalchemy as sa
from alembic import op

from shared.region import SUB_REGIONS

revision = "0005"
down_revision = "0004"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """No map until an operator brings one, no call until a rule is set."""
    op.create_table(
        "municipality_shape",
        sa.Column("code", sa.String, primary_key=True),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("label_x", sa.Float, nullable=False),
        sa.Column("label_y", sa.Float, nullable=False),
        sa.Column("width", sa.Float, nullable=False),
        sa.Column("height", sa.Float, nullable=False),
        sa.Column("attribution", sa.String, nullable=False),
    )
    op.create_table(
        "attention",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("situation_id", sa.Uuid, primary_key=True),
        sa.Column("looked_at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT),
    )
    op.create_index("ix_attention_looked_at", "attention", ["looked_at"])
    op.create_table(
        "attention_rule",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("situation_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("area", sa.String, nullable=False),
        sa.Column("capability", sa.String, nullable=False),
        sa.Column("wanted", sa.Integer, nullable=False),
        sa.Column("hours", sa.Integer, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by", sa.Uuid, nullable=False),
        sa.Column("value", sa.Integer),
        sa.Column("low_since", MOMENT),
        sa.Column("opened_at", MOMENT),
        sa.Column("told_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("acknowledged_at", MOMENT),
        sa.Column("acknowledged_by", sa.Uuid),
        sa.Column("acknowledged_until", MOMENT),
    )
    _count_capabilities_by_area()


def _count_capabilities_by_area() -> None:
    """The figures of capabilities by sub-region, counted from the standings that there are."""
    connection = op.get_bind()
    area_of = {code: area.code for area in SUB_REGIONS for code in area.municipalities}
    names = ("realm", "situation_id", "municipality", "capabilities", "state")
    standing = sa.table("standing", *(sa.column(name, sa.Uuid if name == "situation_id" else sa.String) for name in names))
    grouped = [standing.c[name] for name in names]
    counts: Counter[tuple[str, object, str, str]] = Counter()
    found = connection.execute(
        sa.select(*grouped, sa.func.count().label("many")).where(standing.c.capabilities != "").group_by(*grouped)
    )
    for row in found:
        area = area_of.get(row.municipality)
        for capability in row.capabilities.split() if area else ():
            counts[row.realm, row.situation_id, f"{capability}@{area}", row.state] += row.many
    tally = sa.table(
        "tally",
        *(sa.column(name, sa.String) for name in ("realm", "dimension", "key", "state")),
        sa.column("situation_id", sa.Uuid),
        sa.column("count", sa.Integer),
    )
    rows = [
        {
            "realm": realm,
            "situation_id": situation_id,
            "dimension": "capability_area",
            "key": key,
            "state": state,
            "count": count,
        }
        for (realm, situation_id, key, state), count in counts.items()
    ]
    if rows:
        connection.execute(sa.insert(tally), rows)
