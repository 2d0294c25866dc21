"""Merger model: what one association becomes when another is merged into it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.intake.registry.model import Ability, Card, Plan


class Verdict(StrEnum):
    """What became of merging, retiring or restoring."""

    DONE = "done"
    SAME = "same"
    GONE = "gone"
    CONFLICT = "conflict"
    NOT_IN_USE = "not in use"


@dataclass(frozen=True)
class Answering:
    """A contact with its place in the register."""

    contact_id: UUID
    card: Card


@dataclass(frozen=True)
class Whole:
    """What is united when two entries are merged. Contacts in the order in which they are asked."""

    contacts: tuple[Answering, ...] = ()
    networks: frozenset[str] = frozenset()
    abilities: tuple[Ability, ...] = ()
    plan: Plan = Plan.UNKNOWN
    plan_year: int | None = None


@dataclass(frozen=True)
class United:
    """The whole that remains, and the contacts of the other who are there already: who each of them is."""

    whole: Whole
    doubles: dict[UUID, UUID]


def united(kept: Whole, other: Whole) -> United:
    """Everything that either knows. What is told of by both stands as the one that remains tells it.

    The other's contacts come after; one who has the address, or without an address the name and phone, of a contact
    that is there already is the same person. Of two amounts that of the one that remains holds, unless it has none.
    """
    known = {key: one.contact_id for one in kept.contacts for key in _keys(one.card)}
    doubles: dict[UUID, UUID] = {}
    joining: list[Answering] = []
    for one in other.contacts:
        same = next((known[key] for key in _keys(one.card) if key in known), None)
        if same is not None and same != one.contact_id:
            doubles[one.contact_id] = same
        elif same is None:
            joining.append(one)
            known |= dict.fromkeys(_keys(one.card), one.contact_id)
    planned = kept if kept.plan is not Plan.UNKNOWN else other
    whole = Whole(
        contacts=(*kept.contacts, *joining),
        networks=kept.networks | other.networks,
        abilities=_abilities(kept.abilities, other.abilities),
        plan=planned.plan,
        plan_year=planned.plan_year,
    )
    return United(whole, doubles)


def _keys(card: Card) -> Iterable[tuple[str, str]]:
    """By what a contact is recognised."""
    if card.email:
        return [("email", card.email.casefold())]
    digits = "".join(sign for sign in card.phone if sign.isdigit())
    return [(card.name.casefold(), digits)]


def _abilities(kept: Sequence[Ability], other: Sequence[Ability]) -> tuple[Ability, ...]:
    own = {one.capability: one for one in other}
    for one in kept:
        before = own.get(one.capability, one)
        amount = one.amount if one.amount is not None else before.amount
        own[one.capability] = Ability(one.capability, amount, one.note or before.note)
    return tuple(sorted(own.values(), key=lambda one: one.capability))
