"""Register files: in pieces, with how far each has come. Files that wait to be imported must be chosen again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables of uploaded files anew."""
    op.drop_table("upload")
    op.create_table(
        "upload",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("person_id", sa.Uuid),
        sa.Column("file_name", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("headings", sa.JSON, nullable=False),
        sa.Column("samples", sa.JSON, nullable=False),
        sa.Column("columns", sa.JSON, nullable=False),
        sa.Column("report", sa.JSON, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("refusal", sa.String, nullable=False),
        sa.Column("claim", sa.String, nullable=False),
        sa.Column("claimed_until", MOMENT),
        sa.Column("uploaded_at", MOMENT, nullable=False),
    )
    op.create_index("ix_upload_uploaded_at", "upload", ["uploaded_at"])
    op.create_table(
        "upload_part",
        sa.Column("upload_id", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "upload_problem",
        sa.Column("upload_id", sa.String, primary_key=True),
        sa.Column("row", sa.Integer, primary_key=True),
        sa.Column("cells", sa.JSON, nullable=False),
        sa.Column("errors", sa.JSON, nullable=False),
    )
