"""Audit model: what the staff can do here that is written down."""

from collections.abc import Mapping
from enum import StrEnum

from shared.audit import Book
from shared.i18n import N_


class Act(StrEnum):
    """What the staff can do that is written down."""

    ANSWER_PINNED = "answer_pinned"
    AUDIT_EXPORTED = "audit_exported"


SENTENCES: Mapping[str, str] = {
    Act.ANSWER_PINNED: N_("pinned an answer of an association"),
    Act.AUDIT_EXPORTED: N_("exported the audit"),
}
"""Each act as the page tells it after the name of the one who did it."""

DETAILS = {
    "situation": N_("situation"),
    "realm": N_("exercise"),
    "answer": N_("answer"),
    "reason": N_("reason"),
}
"""The name of each detail."""

BOOK = Book("/status/audit", SENTENCES, DETAILS)
