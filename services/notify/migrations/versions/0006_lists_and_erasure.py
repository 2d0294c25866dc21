"""Lists of subscribers with their stated basis, erased addresses as keyed hashes, and letters whose texts were removed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add to what there is; nothing is made anew."""
    op.add_column("subscriber", sa.Column("name", sa.String, nullable=False, server_default=""))
    op.add_column("subscriber", sa.Column("stated_basis", sa.String, nullable=False, server_default=""))
    op.add_column("letter", sa.Column("emptied_at", MOMENT))
    op.create_index("letter_kept", "letter", ["emptied_at", "not_after"])
    op.create_table(
        "erased_address",
        sa.Column("hash", sa.String, primary_key=True),
        sa.Column("erased_at", MOMENT, nullable=False),
        sa.Column("subscriber_id", sa.Uuid),
        sa.Column("scrub_at", MOMENT),
    )
    op.create_index("ix_erased_address_scrub_at", "erased_address", ["scrub_at"])
    _uploads()


def _uploads() -> None:
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
        sa.Column("audience", sa.String, nullable=False),
        sa.Column("basis", sa.String, nullable=False),
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
