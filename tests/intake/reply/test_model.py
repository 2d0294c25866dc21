"""What becomes of a letter that came, and which addresses are ours."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.checkin.model import NOTE_LIMIT
from services.intake.invitation.model import AskedRound, reply_key
from services.intake.reply.model import Arrived, Asked, Letter, ReplyState, Why, key_of, said, standing
from shared.events.intake import OperatingStatus
from shared.ids import digest, new_id
from shared.realm import LIVE
from tests.fakes import STORM_EVENING

ROUND = AskedRound(new_id(), new_id(), LIVE, {}, STORM_EVENING + timedelta(hours=2))
ASKED = Asked(new_id(), ROUND)
PLAIN = Arrived(new_id(), b"door", Letter(message_id="1", words="2"), STORM_EVENING, OperatingStatus.LIMITED)
KEY = reply_key("a token")


def lettered(**changes: object) -> Arrived:
    return replace(PLAIN, letter=replace(PLAIN.letter, **changes))  # type: ignore[arg-type]


def test_a_plain_answer_is_recorded_with_the_writers_words() -> None:
    stands = standing(PLAIN, ASKED)

    assert (stands.state, stands.why) == (ReplyState.READ, Why.PLAIN)
    assert stands.said == said(OperatingStatus.LIMITED, "2")


@pytest.mark.parametrize(
    ("arrived", "state", "why"),
    [
        (replace(PLAIN, status=None), ReplyState.WAITING, Why.UNCLEAR),
        (replace(lettered(words=""), status=None), ReplyState.WAITING, Why.NO_WORDS),
        (lettered(unreadable=True), ReplyState.WAITING, Why.UNREADABLE),
        (lettered(automatic=Why.REPORT), ReplyState.AUTOMATIC, Why.REPORT),
        (replace(PLAIN, received_at=ROUND.closes_at), ReplyState.WAITING, Why.CLOSED),
    ],
)
def test_all_else_sets_nothing(arrived: Arrived, state: ReplyState, why: Why) -> None:
    stands = standing(arrived, ASKED)

    assert (stands.state, stands.why, stands.said) == (state, why, None)


def test_a_letter_that_was_long_under_way_does_not_overtake_a_newer_answer() -> None:
    answered = replace(ASKED, answered_at=STORM_EVENING - timedelta(minutes=5))

    early = standing(lettered(written_at=STORM_EVENING - timedelta(hours=1)), answered)
    late = standing(lettered(written_at=STORM_EVENING - timedelta(minutes=1)), answered)

    assert (early.state, early.why) == (ReplyState.WAITING, Why.OVERTAKEN)
    assert late.state is ReplyState.READ


def test_a_note_holds_as_many_words_as_it_may() -> None:
    assert said(OperatingStatus.NORMAL, "1\n\nkiitos ").note == "1 kiitos"
    assert len(said(OperatingStatus.NORMAL, "sana " * 500).note) <= NOTE_LIMIT


@pytest.mark.parametrize("address", [f"vastaus+{KEY}@mail.example.org", f"VASTAUS+{KEY.upper()}@Mail.Example.Org"])
def test_an_address_is_known_whatever_its_case(address: str) -> None:
    key = key_of(address, domain="mail.example.org")

    assert key is not None
    assert digest(key) == digest(KEY)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "vastaus@mail.example.org",
        f"vastaus+{KEY}@example.org",
        f"vastaus+{KEY}x@mail.example.org",
        f"vastaus+{KEY[:-1]}ä@mail.example.org",
        f"other+{KEY}@mail.example.org",
        f"vastaus+{KEY}",
    ],
)
def test_other_addresses_are_not_ours(address: str) -> None:
    assert key_of(address, domain="mail.example.org") is None


@given(st.text(max_size=100))
def test_any_address_is_answered_for(address: str) -> None:
    assert key_of(address, domain="mail.example.org") is None
