"""Outlines of the municipalities, for the map."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Empty until an operator brings them."""
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
