"""What may be written, and who may release it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.guidance.draft_form import HEADLINE_LIMIT, TEXT_LIMIT, Fields, read_correction, read_draft
from services.notify.guidance.model import (
    CANCEL_SHOWN,
    Approval,
    Draft,
    Kind,
    Refusal,
    Revision,
    State,
    Text,
    short,
)
from services.notify.subscribers.model import EVERYWHERE, Audience, Reach
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.fakes import STORM_EVENING
from tests.notify.guidance.drafts import ALL_LANGUAGES, FINNISH, FORSSA, draft

AINO, BERTTA, CECILIA = new_id(), new_id(), new_id()
SOMEBODY = Reach(total=14, by_audience={Audience.RESIDENTS: 14})
OVER = Reach(total=0, by_audience={}, over=True)
NOBODY = Reach(total=0, by_audience={Audience.RESIDENTS: 0})

IN_REVIEW = Revision(
    realm=LIVE,
    guidance_id=new_id(),
    number=1,
    kind=Kind.ALERT,
    state=State.IN_REVIEW,
    draft=draft(),
    edition=3,
    written_by=AINO,
    writers=frozenset({AINO, CECILIA}),
    created_at=STORM_EVENING,
    submitted_at=STORM_EVENING,
)

FORM = Fields(
    headlines={Locale.FI: "Sähköt poikki"},
    texts={Locale.FI: "Varautukaa kylmään."},
    audiences=frozenset({"residents"}),
    areas=frozenset({FORSSA}),
    valid_hours="24",
    situation="",
)


def test_a_second_person_releases_with_the_word_of_the_page() -> None:
    for word in ("TOSI", "SKARPT", "LIVE", " live "):
        decided = IN_REVIEW.approve(by=BERTTA, word=word, edition=3, reach=SOMEBODY, now=STORM_EVENING)

        assert isinstance(decided, Approval)
        assert decided.approved_by == BERTTA
        assert decided.expires_at == STORM_EVENING + timedelta(hours=24)
        assert (decided.event.realm, decided.event.guidance_id) == (LIVE, IN_REVIEW.guidance_id)


@pytest.mark.parametrize(
    ("revision", "by", "word", "edition", "reach", "refusal"),
    [
        (IN_REVIEW, AINO, "LIVE", 3, SOMEBODY, Refusal.OWN_TEXT),
        (IN_REVIEW, CECILIA, "LIVE", 3, SOMEBODY, Refusal.OWN_TEXT),
        (IN_REVIEW, BERTTA, "LIVE", 2, SOMEBODY, Refusal.CHANGED),
        (IN_REVIEW, BERTTA, "LIVE", 3, NOBODY, Refusal.REACHES_NOBODY),
        (IN_REVIEW, BERTTA, "", 3, SOMEBODY, Refusal.WRONG_WORD),
        (IN_REVIEW, BERTTA, "HARJOITUS", 3, SOMEBODY, Refusal.WRONG_WORD),
        (replace(IN_REVIEW, realm=Realm("ex-1")), BERTTA, "LIVE", 3, SOMEBODY, Refusal.WRONG_WORD),
        (replace(IN_REVIEW, realm=Realm("ex-1")), BERTTA, "HARJOITUS", 3, NOBODY, Refusal.NOBODY_TAKES_PART),
        (replace(IN_REVIEW, realm=Realm("ex-1")), BERTTA, "HARJOITUS", 3, OVER, Refusal.EXERCISE_OVER),
        (replace(IN_REVIEW, state=State.DRAFT), BERTTA, "LIVE", 3, SOMEBODY, Refusal.NOT_SUBMITTED),
        (replace(IN_REVIEW, state=State.PUBLISHED), BERTTA, "LIVE", 3, SOMEBODY, Refusal.NOT_SUBMITTED),
    ],
)
def test_a_release_is_refused_with_its_reason(
    revision: Revision, by: object, word: str, edition: int, reach: Reach, refusal: Refusal
) -> None:
    assert revision.approve(by=by, word=word, edition=edition, reach=reach, now=STORM_EVENING) is refusal  # type: ignore[arg-type]


def test_an_exercise_has_words_of_its_own() -> None:
    exercise = replace(IN_REVIEW, realm=Realm("ex-1"))

    decided = exercise.approve(by=BERTTA, word="övning", edition=3, reach=SOMEBODY, now=STORM_EVENING)

    assert isinstance(decided, Approval)
    assert decided.event.realm == "ex-1"


@given(
    st.sampled_from(State),
    st.sampled_from([AINO, BERTTA, CECILIA]),
    st.text(max_size=10) | st.sampled_from(["TOSI", "LIVE"]),
    st.integers(0, 4),
    st.sampled_from([SOMEBODY, NOBODY]),
)
def test_nobody_ever_releases_alone(state: State, by: object, word: str, edition: int, reach: Reach) -> None:
    revision = replace(IN_REVIEW, state=state)

    decided = revision.approve(by=by, word=word, edition=edition, reach=reach, now=STORM_EVENING)  # type: ignore[arg-type]

    if isinstance(decided, Approval):
        assert decided.approved_by not in {revision.written_by, *revision.writers}
        assert (state, edition, reach) == (State.IN_REVIEW, 3, SOMEBODY)


def test_guidance_is_in_force_until_it_expires() -> None:
    released = replace(IN_REVIEW, state=State.PUBLISHED, expires_at=STORM_EVENING + timedelta(hours=1))

    assert released.current(STORM_EVENING)
    assert not released.current(STORM_EVENING + timedelta(hours=1))
    assert not IN_REVIEW.current(STORM_EVENING)


def test_a_reader_gets_her_language_or_marked_finnish() -> None:
    complete, finnish = draft(ALL_LANGUAGES), draft(FINNISH)

    assert [complete.shown(locale).fallback for locale in Locale] == [False] * 4
    assert [finnish.shown(locale).fallback for locale in Locale] == [False, True, True, True]
    assert finnish.shown(Locale.SV).text == FINNISH[Locale.FI]
    assert finnish.missing() == [Locale.SELKO, Locale.SV, Locale.EN]


def test_a_form_becomes_a_draft() -> None:
    situation = new_id()
    written = replace(FORM, areas=EVERYWHERE, situation=str(situation))

    read, problems = read_draft(written, situations=[situation])

    assert problems == []
    assert read is not None
    assert read.texts == {Locale.FI: Text("Sähköt poikki", "Varautukaa kylmään.")}
    assert read.matching.areas == frozenset()
    assert (read.valid_hours, read.situation_id) == (24, situation)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (replace(FORM, headlines={}), "headline_fi"),
        (replace(FORM, texts={Locale.FI: " \n "}), "text_fi"),
        (replace(FORM, headlines={Locale.FI: "a" * (HEADLINE_LIMIT + 1)}), "headline_fi"),
        (replace(FORM, texts={Locale.FI: "a" * (TEXT_LIMIT + 1)}), "text_fi"),
        (replace(FORM, headlines={**FORM.headlines, Locale.SELKO: "Sähköt"}), "text_selko"),
        (replace(FORM, texts={**FORM.texts, Locale.SV: "El"}), "headline_sv"),
        (replace(FORM, audiences=frozenset({"martians"})), "audience"),
        (replace(FORM, valid_hours="9999"), "valid_hours"),
        (replace(FORM, situation=str(new_id())), "situation"),
    ],
)
def test_a_form_with_a_mistake_names_the_field(wrong: Fields, field: str) -> None:
    read, problems = read_draft(wrong, situations=[])

    assert read is None
    assert [problem.field for problem in problems] == [field]


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_headline_is_one_line_whatever_is_typed(headline: str, text: str) -> None:
    typed = replace(FORM, headlines={Locale.FI: headline}, texts={Locale.FI: text})

    read, problems = read_draft(typed, situations=[])

    if read is None:
        assert problems
    else:
        kept = read.texts[Locale.FI]
        assert kept.headline.isprintable()
        assert all(c == "\n" or c.isprintable() for c in kept.text)


def test_fields_of_easy_finnish_have_a_plain_name() -> None:
    assert [short(locale) for locale in Locale] == ["fi", "selko", "sv", "en"]


PUBLISHED = replace(IN_REVIEW, state=State.PUBLISHED, draft=draft(ALL_LANGUAGES))
NEW = Draft({Locale.FI: Text("Uusi", "Teksti", "Syy")}, draft().matching, valid_hours=6)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("kind", Kind)
def test_only_what_the_public_has_or_had_last_is_corrected(state: State, kind: Kind) -> None:
    revision = replace(PUBLISHED, state=state)

    if kind is not Kind.ALERT and state in {State.PUBLISHED, State.EXPIRED}:
        follower = revision.correction(kind, NEW, by=AINO, now=STORM_EVENING)
        assert (follower.number, follower.edition, follower.state) == (2, 4, State.IN_REVIEW)
    else:
        with pytest.raises(ValueError, match="not followed"):
            revision.correction(kind, NEW, by=AINO, now=STORM_EVENING)


def test_a_correction_keeps_groups_places_and_situation_and_needs_two_people_again() -> None:
    elsewhere = replace(NEW, matching=replace(NEW.matching, areas=frozenset()), situation_id=new_id())

    follower = PUBLISHED.correction(Kind.UPDATE, elsewhere, by=BERTTA, now=STORM_EVENING)
    own = follower.approve(by=BERTTA, word="TOSI", edition=4, reach=SOMEBODY, now=STORM_EVENING)
    by_first_writer = follower.approve(by=AINO, word="TOSI", edition=4, reach=NOBODY, now=STORM_EVENING)

    assert (follower.draft.matching, follower.draft.situation_id) == (PUBLISHED.draft.matching, None)
    assert own is Refusal.OWN_TEXT
    assert isinstance(by_first_writer, Approval)
    assert by_first_writer.event.kind == "update"


def test_a_withdrawal_keeps_the_texts_says_why_and_is_shown_for_a_day() -> None:
    follower = PUBLISHED.correction(Kind.CANCEL, NEW, by=AINO, now=STORM_EVENING)
    released = follower.approve(by=BERTTA, word="TOSI", edition=4, reach=SOMEBODY, now=STORM_EVENING)

    assert follower.draft.texts[Locale.FI] == replace(FINNISH[Locale.FI], note="Syy")
    assert follower.draft.texts.keys() == ALL_LANGUAGES.keys()
    assert isinstance(released, Approval)
    assert (released.state, released.expires_at) == (State.CANCELLED, STORM_EVENING + CANCEL_SHOWN)


@pytest.mark.parametrize(
    ("realm", "word", "reason", "outcome"),
    [
        ("live", "TOSI YKSIN", "Kukaan ei vastaa.", None),
        ("live", "TOSI", "Kukaan ei vastaa.", Refusal.WRONG_WORD),
        ("live", "HARJOITUS YKSIN", "Kukaan ei vastaa.", Refusal.WRONG_WORD),
        ("live", "TOSI YKSIN", "kiire", Refusal.NO_REASON),
        ("live", "TOSI YKSIN", "  ", Refusal.OWN_TEXT),
        ("ex-1", "harjoitus  yksin", "Kukaan ei vastaa.", None),
    ],
)
def test_alone_one_releases_only_with_a_reason_and_words_of_their_own(
    realm: str, word: str, reason: str, outcome: Refusal | None
) -> None:
    revision = replace(IN_REVIEW, realm=Realm(realm))

    decided = revision.approve(by=AINO, word=word, edition=3, reach=SOMEBODY, now=STORM_EVENING, alone_because=reason)

    if outcome is None:
        assert isinstance(decided, Approval)
        assert (decided.alone_because, decided.event.alone) == (reason, True)
    else:
        assert decided is outcome


def test_another_person_never_counts_as_alone() -> None:
    decided = IN_REVIEW.approve(
        by=BERTTA, word="TOSI", edition=3, reach=SOMEBODY, now=STORM_EVENING, alone_because="Ei ole tarpeen."
    )

    assert isinstance(decided, Approval)
    assert decided.alone_because is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "alert"}, "kind"),
        ({"notes": {}}, "note_fi"),
        ({"notes": {Locale.FI: "a", Locale.SV: "b" * 301}}, "note_sv"),
        ({"texts": {}}, "text_fi"),
        ({"valid_hours": "5"}, "valid_hours"),
    ],
)
def test_a_correction_with_a_mistake_names_the_field(wrong: dict[str, object], field: str) -> None:
    form = replace(FORM, kind="update", notes={Locale.FI: "Syy"})

    read, problems = read_correction(replace(form, **wrong), of=PUBLISHED)  # type: ignore[arg-type]

    assert read is None
    assert [problem.field for problem in problems] == [field]
