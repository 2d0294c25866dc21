"""People limited to networks, sessions that can be told apart, partners' keys, an audit that the database guards."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what is missing; whoever was limited stays so."""
    _access()
    _partner()
    _audit()


def _access() -> None:
    """Limits by network; when and in which browser a session began."""
    op.add_column("person", sa.Column("networks", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("session", sa.Column("signed_in_at", MOMENT))
    op.add_column("session", sa.Column("browser", sa.String, nullable=False, server_default=""))


def _partner() -> None:
    """Keys of partner systems."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("prefix", sa.String, nullable=False, unique=True),
        sa.Column("key_hash", sa.LargeBinary, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("municipalities", sa.JSON, nullable=False),
        sa.Column("networks", sa.JSON, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT),
        sa.Column("last_used_on", sa.Date),
    )


def _audit() -> None:
    """How far the audit was checked; and nobody changes a row, whichever way he comes."""
    op.create_index("audit_by_actor", "audit", ["actor", "number"])
    op.create_index("audit_by_act", "audit", ["act", "number"])
    op.create_index("audit_by_subject", "audit", ["subject", "number"])
    op.create_index("audit_by_time", "audit", ["at", "number"])
    op.create_table(
        "audit_check",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("whole_to", sa.Integer, nullable=False),
        sa.Column("whole_at", MOMENT),
        sa.Column("broken_at", sa.Integer),
    )
    guard = _GUARD_POSTGRES if op.get_bind().dialect.name == "postgresql" else _GUARD_SQLITE
    for statement in guard:
        op.execute(statement)


_GUARD_SQLITE = (
    "CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    "CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    "CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head WHEN NEW.number <= OLD.number "
    "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
    "CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head "
    "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END",
)
_REFUSE = "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
_GUARD_POSTGRES = (
    "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    f"CREATE TRIGGER audit_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON audit {_REFUSE}",
    f"CREATE TRIGGER audit_head_kept BEFORE DELETE OR TRUNCATE ON audit_head {_REFUSE}",
    "CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head FOR EACH ROW "
    "WHEN (NEW.number <= OLD.number) EXECUTE FUNCTION audit_is_append_only()",
)
