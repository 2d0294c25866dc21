"""Audit migration: the tables of an audit and their guard. A change of them is a migration of its own."""

import sqlalchemy as sa
from alembic import op

MOMENT = sa.DateTime(timezone=True)

_ABORT = "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
_GUARD_SQLITE = (
    f"CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit {_ABORT}",
    f"CREATE TRIGGER audit_kept BEFORE DELETE ON audit {_ABORT}",
    f"CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head WHEN NEW.number <= OLD.number {_ABORT}",
    f"CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head {_ABORT}",
)
_FUNCTION = """
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$
"""
_REFUSE = "EXECUTE FUNCTION audit_is_append_only()"
_GUARD_POSTGRES = (
    _FUNCTION,
    f"CREATE TRIGGER audit_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT {_REFUSE}",
    f"CREATE TRIGGER audit_head_kept BEFORE DELETE OR TRUNCATE ON audit_head FOR EACH STATEMENT {_REFUSE}",
    "CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head FOR EACH ROW WHEN (NEW.number <= OLD.number) "
    + _REFUSE,
)


def make_audit() -> None:
    """Make the tables, empty, in the migration that runs; from then on the database refuses to change a row."""
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("act", sa.String, nullable=False),
        sa.Column("actor", sa.Uuid),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    for name, column in (("actor", "actor"), ("act", "act"), ("subject", "subject"), ("time", "at")):
        op.create_index(f"audit_by_{name}", "audit", [column, "number"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
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
    for statement in _GUARD_POSTGRES if op.get_bind().dialect.name == "postgresql" else _GUARD_SQLITE:
        op.execute(statement)
