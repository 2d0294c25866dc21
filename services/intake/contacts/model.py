"""Contacts model: the order in which contacts are asked, and what an edit of them comes to."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID


class Verdict(StrEnum):
    """What became of an edit."""

    SAVED = "saved"
    SAME = "same"
    GONE = "gone"
    CONFLICT = "conflict"


def moved(order: Sequence[UUID], which: UUID, *, by: int) -> tuple[UUID, ...]:
    """The order with one of them so many places later (negative: earlier), as far as there are places.

    Raises ValueError if it is none of them.
    """
    others = [one for one in order if one != which]
    place = min(max(order.index(which) + by, 0), len(others))
    return (*others[:place], which, *others[place:])


def without(order: Sequence[UUID], which: UUID) -> tuple[UUID, ...]:
    """The order of those who remain."""
    return tuple(one for one in order if one != which)
