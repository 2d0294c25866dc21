"""Who takes part in an exercise is named in its letters by an id that tells nothing of the address."""

from uuid import NAMESPACE_URL, uuid5

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

ROSTER = sa.table("roster", sa.column("realm"), sa.column("address"), sa.column("recipient_id", sa.Uuid))


def upgrade() -> None:
    """Those who are on a roster keep the ids that letters of theirs may have already."""
    op.add_column("roster", sa.Column("recipient_id", sa.Uuid))
    connection = op.get_bind()
    for realm, address in connection.execute(sa.select(ROSTER.c.realm, ROSTER.c.address)).all():
        hers = (ROSTER.c.realm == realm, ROSTER.c.address == address)
        known = uuid5(uuid5(NAMESPACE_URL, realm), address)
        connection.execute(sa.update(ROSTER).where(*hers).values(recipient_id=known))
    with op.batch_alter_table("roster") as roster:
        roster.alter_column("recipient_id", existing_type=sa.Uuid(), nullable=False)
