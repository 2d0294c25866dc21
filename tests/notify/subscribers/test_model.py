"""What a person asks for, and whom guidance reaches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.subscribers.model import (
    CONSENT_TEXT,
    EVERYWHERE,
    WHOLE_REGION,
    Audience,
    ImportedSubscriber,
    Links,
    Matching,
    Wishes,
    consent,
    email_key,
    merged,
    read_email,
    read_wishes,
)
from shared.i18n import Locale, texts
from shared.ids import new_id

FORSSA, HATTULA = "061", "082"
LINKS = Links(secret="a secret of at least thirty-two characters", public_url="https://valmius.example.org")

audiences = st.frozensets(st.sampled_from(Audience), min_size=1)
places = st.frozensets(st.sampled_from(sorted(EVERYWHERE)))
wishes = st.builds(Wishes, audiences, places, st.sampled_from(Locale))


@given(wishes, st.builds(Matching, audiences, places))
def test_guidance_reaches_who_shares_a_group_and_a_place(wished: Wishes, matching: Matching) -> None:
    pairs = wished.pairs()

    reached = any(
        audience in matching.audiences and (not matching.areas or place == WHOLE_REGION or place in matching.areas)
        for audience, place in pairs
    )

    assert matching.reaches(wished) is reached
    assert len(set(pairs)) == len(pairs)


def test_the_whole_region_is_reached_from_everywhere_and_reaches_everywhere() -> None:
    everywhere = Wishes(frozenset({Audience.RESIDENTS}), frozenset(), Locale.FI)
    in_forssa = Wishes(frozenset({Audience.RESIDENTS}), frozenset({FORSSA}), Locale.FI)
    for_all = Matching(frozenset({Audience.RESIDENTS}), frozenset())
    for_hattula = Matching(frozenset({Audience.RESIDENTS}), frozenset({HATTULA}))

    assert for_all.reaches(everywhere)
    assert for_all.reaches(in_forssa)
    assert for_hattula.reaches(everywhere)
    assert not for_hattula.reaches(in_forssa)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (" Aino.Kuura@Example.ORG ", "Aino.Kuura@example.org"),
        ("aino+ohjeet@sub.example.org", "aino+ohjeet@sub.example.org"),
        ("aino@hämeenlinna.example", "aino@xn--hmeenlinna-q5a.example"),
    ],
)
def test_an_address_is_read_as_it_can_be_sent_to(typed: str, address: str) -> None:
    assert read_email(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "aino",
        "aino@",
        "@example.org",
        "aino@localhost",
        "aino@example.org, bertta@example.org",
        "aino@example.org\nBcc: bertta@example.org",
        "Aino <aino@example.org>",
        "ai no@example.org",
        "aino..kuura@example.org",
        "äiti@example.org",
        "a" * 65 + "@example.org",
        "aino@" + "a" * 64 + ".org",
        "aino@.org",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    assert read_email(typed) is None


@given(st.text())
def test_no_text_breaks_the_reading_of_addresses(typed: str) -> None:
    address = read_email(typed)

    assert address is None or (address.isascii() and address.isprintable() and " " not in address)


def test_a_form_without_a_group_says_so() -> None:
    wished, problems = read_wishes([], [FORSSA], "tlh")

    assert wished is None
    assert [problem.field for problem in problems] == ["audience", "language"]


def test_all_municipalities_are_the_whole_region_and_unknown_ones_are_left_out() -> None:
    everywhere, _ = read_wishes(["residents"], sorted(EVERYWHERE), "fi")
    odd, _ = read_wishes(["residents", "martians"], [FORSSA, "999"], "fi@selko")

    assert everywhere == Wishes(frozenset({Audience.RESIDENTS}), frozenset(), Locale.FI)
    assert odd == Wishes(frozenset({Audience.RESIDENTS}), frozenset({FORSSA}), Locale.SELKO)


def test_consent_names_the_version_and_the_very_words_that_were_shown() -> None:
    finnish, swedish = consent(texts(Locale.FI)), consent(texts(Locale.SV))

    assert finnish.version == swedish.version
    assert len(finnish.text_hash) == 64
    assert finnish.text_hash != swedish.text_hash
    assert finnish != consent(str)
    assert texts(Locale.FI)(CONSENT_TEXT) != CONSENT_TEXT


def test_a_link_is_genuine_for_its_own_subscriber_alone() -> None:
    aino, bertta = new_id(), new_id()

    assert LINKS.genuine(aino, LINKS.token(aino))
    assert not LINKS.genuine(bertta, LINKS.token(aino))
    assert not LINKS.genuine(aino, "ääkkösiä")
    assert LINKS.confirm(aino) == f"https://valmius.example.org/s/{aino}/{LINKS.token(aino)}/confirm"


def test_the_rows_of_one_address_become_one_subscriber() -> None:
    rows = [
        ImportedSubscriber("Aino@example.org", Audience.MEMBERS, (FORSSA,), Locale.SV),
        ImportedSubscriber("aino@EXAMPLE.org", Audience.PROFESSIONALS, (HATTULA,), Locale.FI),
        ImportedSubscriber("bertta@example.org", Audience.MEMBERS, (FORSSA,), Locale.FI),
        ImportedSubscriber("bertta@example.org", Audience.MEMBERS, (), Locale.FI),
    ]

    entries = merged(rows)

    aino = Wishes(frozenset({Audience.MEMBERS, Audience.PROFESSIONALS}), frozenset({FORSSA, HATTULA}), Locale.SV)
    assert entries["aino@example.org"] == (rows[0], aino)
    assert entries["bertta@example.org"][1].municipalities == frozenset()
    assert email_key(" Aino@Example.ORG") == "aino@example.org"
