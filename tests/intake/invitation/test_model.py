"""Who is asked, and what stands in the letter."""

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.invitation.model import (
    AskedRound,
    Candidate,
    Doors,
    Invited,
    Tried,
    letter,
    next_to_ask,
    recipient_of,
    reply_key,
)
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.fakes import STORM_EVENING

ROUND = AskedRound(new_id(), new_id(), LIVE, {"fi": "Myrsky", "sv": "Storm"}, STORM_EVENING + timedelta(hours=24))


def candidate(position: int) -> Candidate:
    return Candidate(new_id(), position, f"contact{position}@example.org", "sv")


def asked(contact: Candidate) -> Tried:
    return Tried(contact.position, "", STORM_EVENING, contact_id=contact.contact_id)


def test_the_first_is_asked_first_and_then_the_next() -> None:
    first, second, third = (candidate(position) for position in (1, 2, 4))

    assert next_to_ask([third, first, second]) == first
    assert next_to_ask([third, first, second], [asked(second), asked(first)]) == third
    assert next_to_ask([first], [asked(first)]) is None
    assert next_to_ask([]) is None


@given(st.lists(st.permutations(range(5)), min_size=6, max_size=6))
def test_asking_one_after_the_other_reaches_everybody_once_however_they_are_moved(orders: list[list[int]]) -> None:
    contacts = [candidate(position) for position in range(5)]

    tried: list[Tried] = []
    for order in orders:
        moved = [replace(contact, position=place) for contact, place in zip(contacts, order, strict=True)]
        if found := next_to_ask(moved, tried):
            tried.append(asked(found))

    assert Counter(one.contact_id for one in tried) == Counter(contact.contact_id for contact in contacts)


def test_each_contact_is_another_recipient_the_same_each_time() -> None:
    invitation_id = new_id()

    assert recipient_of(invitation_id, 1) == invitation_id
    assert recipient_of(invitation_id, 2) == recipient_of(invitation_id, 2)
    assert len({recipient_of(invitation_id, position) for position in range(1, 9)}) == 8


def test_the_letter_speaks_the_contacts_language_and_names_the_situation_in_each() -> None:
    invited = Invited(new_id(), new_id(), "Hattulan Martat")

    wish = letter(ROUND, invited, candidate(1), doors=Doors("https://x/c/token", "k"), now=STORM_EVENING)

    assert (wish.kind, wish.locale, wish.not_after) == ("checkin", "sv", ROUND.closes_at)
    assert (wish.letter_id, wish.recipient_id) == (ROUND.round_id, invited.invitation_id)
    assert wish.shared == {
        "situation.fi": "Myrsky",
        "situation.sv": "Storm",
        "situation.en": "Myrsky",
        "closes_at": ROUND.closes_at.isoformat(),
        "replies": "yes",
    }
    assert wish.personal == {"association": "Hattulan Martat", "link": "https://x/c/token", "reply": "k"}


@pytest.mark.parametrize(
    ("hours", "closed", "is_open"), [(0, False, True), (23, False, True), (24, False, False), (1, True, False)]
)
def test_a_round_takes_answers_until_it_closes(hours: int, *, closed: bool, is_open: bool) -> None:
    asked = AskedRound(new_id(), new_id(), Realm("ex-1"), {}, ROUND.closes_at, STORM_EVENING if closed else None)

    assert asked.open(STORM_EVENING + timedelta(hours=hours)) is is_open


def test_the_key_of_a_reply_address_tells_nothing_of_the_link_and_survives_a_change_of_case() -> None:
    key = reply_key("a token")

    assert re.fullmatch("[a-z2-7]{32}", key)
    assert key == reply_key("a token") != reply_key("another token")
