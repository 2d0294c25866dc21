"""Audit store: the tables of this service's audit, and the way in which every act is written into them."""

from services.intake.schema import IntakeTable
from shared.audit_rows import AuditCheckColumns, AuditColumns, AuditHeadColumns, AuditTables, audit_indexes


class AuditRow(AuditColumns, IntakeTable, table=True):
    """One act of the staff."""

    __tablename__ = "audit"
    __table_args__ = audit_indexes()


class AuditHead(AuditHeadColumns, IntakeTable, table=True):
    """The end of the chain."""

    __tablename__ = "audit_head"


class AuditCheck(AuditCheckColumns, IntakeTable, table=True):
    """How far the chain was followed."""

    __tablename__ = "audit_check"


AUDIT = AuditTables(AuditRow, AuditHead, AuditCheck)
record, record_all = AUDIT.record, AUDIT.record_all
