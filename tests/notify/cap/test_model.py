"""Alerts of CAP 1.2: what the standard asks beyond its schema, for whatever an editor may write."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.cap.model import (
    HEADLINE,
    Alert,
    Issuer,
    Message,
    Release,
    Scope,
    Status,
    alert_of,
    flaws,
    moment,
    sent_at,
)
from services.notify.feeds.cap_xml import NAMESPACE, cap_xml
from services.notify.guidance.model import Draft, Earlier, Kind, Revision, State, Text
from services.notify.subscribers.model import Audience, Matching
from shared import region
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.fakes import STORM_EVENING
from tests.notify.guidance.drafts import ALL_LANGUAGES, FORSSA, HATTULA, draft

ISSUER = Issuer("valmius.example.org", "https://valmius.example.org", "+358 40 000 0000")
CAP = {"cap": NAMESPACE}
CODES = [place.code for place in region.MUNICIPALITIES]

texts = st.builds(Text, st.text(min_size=1, max_size=HEADLINE), st.text(max_size=300), st.text(max_size=50))
drafts = st.builds(
    Draft,
    st.dictionaries(st.sampled_from([Locale.SELKO, Locale.SV, Locale.EN]), texts).flatmap(
        lambda others: texts.map(lambda finnish: {Locale.FI: finnish, **others})
    ),
    st.builds(
        Matching,
        st.sets(st.sampled_from(Audience), min_size=1).map(frozenset),
        st.sets(st.sampled_from(CODES)).map(frozenset),
    ),
    st.sampled_from((3, 24, 168)),
)
moments = st.timedeltas(timedelta(days=-3000), timedelta(days=20000)).map(lambda by: STORM_EVENING + by)
realms = st.sampled_from([LIVE, Realm("ex-storm1")])


def released(
    what: Draft,
    *,
    realm: Realm = LIVE,
    at: datetime = STORM_EVENING,
    number: int = 1,
    kind: Kind = Kind.ALERT,
    guidance_id: UUID | None = None,
) -> Revision:
    """A revision that Aino wrote and Bertta released."""
    aino, bertta = new_id(), new_id()
    return Revision(
        realm=realm,
        guidance_id=guidance_id or new_id(),
        number=number,
        kind=kind,
        state=State.PUBLISHED,
        draft=what,
        edition=1,
        written_by=aino,
        writers=frozenset({aino}),
        created_at=at,
        submitted_at=at,
        approved_by=bertta,
        approved_at=at,
        expires_at=at + timedelta(hours=what.valid_hours),
    )


def before(*revisions: Revision) -> tuple[Earlier, ...]:
    """These released revisions, as later ones refer to them."""
    return tuple(Earlier(each.guidance_id, each.number, each.kind, sent_at(each)) for each in revisions)


@settings(max_examples=50, deadline=None)
@given(what=drafts, realm=realms, at=moments, kind=st.sampled_from(Kind), situation=st.sampled_from(["storm", "x", ""]))
def test_whatever_is_published_keeps_the_rules_and_can_be_read_back(
    what: Draft, realm: Realm, at: datetime, kind: Kind, situation: str
) -> None:
    first = released(what, realm=realm, at=at)
    later = replace(first, number=2, kind=kind, approved_at=at + timedelta(minutes=5), expires_at=at)
    release = Release(first, (), situation) if kind is Kind.ALERT else Release(later, before(first), situation)

    alert = alert_of(release, ISSUER)
    tree = ET.fromstring(cap_xml(alert))

    assert flaws(alert) == []
    assert [info.findtext("cap:language", "", CAP) for info in tree.findall("cap:info", CAP)] == [
        info.language for info in alert.infos
    ]
    assert tree.findtext("cap:status", "", CAP) == ("Actual" if realm.live else "Exercise")
    assert tree.findtext("cap:references", "", CAP).split(" ") == list(alert.references or [""])


@pytest.fixture
def storm() -> Alert:
    areas = frozenset({FORSSA, HATTULA})
    return alert_of(Release(released(draft(ALL_LANGUAGES, areas=areas)), (), "storm"), ISSUER)


def test_each_language_has_its_own_block_about_the_same_event(storm: Alert) -> None:
    root = ET.fromstring(cap_xml(storm))

    blocks = root.findall("cap:info", CAP)

    assert [block.findtext("cap:language", "", CAP) for block in blocks] == ["fi-FI", "fi-FI-simple", "sv-FI", "en-GB"]
    assert [block.findtext("cap:event", "", CAP) for block in blocks] == ["Myrsky", "Myrsky", "Storm", "Storm"]
    assert blocks[2].findtext("cap:headline", "", CAP) == ALL_LANGUAGES[Locale.SV].headline
    assert blocks[2].findtext("cap:description", "", CAP) == "Förbered er på kyla."
    assert {block.findtext("cap:eventCode/cap:value", "", CAP) for block in blocks} == {"OET-187"}
    assert [area.findtext("cap:areaDesc", "", CAP) for area in blocks[0].findall("cap:area", CAP)] == [
        "Forssa",
        "Hattula",
    ]
    assert [code.text for code in blocks[0].findall("cap:area/cap:geocode/cap:value", CAP)] == [FORSSA, HATTULA]


def test_moments_have_an_offset_and_no_fraction() -> None:
    assert moment(STORM_EVENING.replace(microsecond=123456)) == "2026-11-21T20:00:00+02:00"


def test_an_exercise_is_named_and_restricted() -> None:
    alert = alert_of(Release(released(draft(), realm=Realm("ex-storm1"))), ISSUER)

    assert (alert.status, alert.scope, alert.note) == ("Exercise", Scope.RESTRICTED, "ex-storm1")
    assert alert.restriction


def test_a_cancellation_refers_to_all_that_it_takes_back() -> None:
    first = released(draft())
    second = replace(first, number=2, kind=Kind.UPDATE, approved_at=STORM_EVENING + timedelta(hours=1))
    last = replace(first, number=3, kind=Kind.CANCEL, approved_at=STORM_EVENING + timedelta(hours=2))

    alert = alert_of(Release(last, before(first, second)), ISSUER)

    assert alert.message is Message.CANCEL
    assert alert.references == (
        f"valmius.example.org,{first.guidance_id}.1,2026-11-21T20:00:00+02:00",
        f"valmius.example.org,{first.guidance_id}.2,2026-11-21T21:00:00+02:00",
    )


def test_what_nobody_approved_is_no_alert() -> None:
    with pytest.raises(ValueError, match="approved"):
        alert_of(Release(replace(released(draft()), approved_at=None)), ISSUER)


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"identifier": "a b"}, "the identifier holds a space, a comma, < or &"),
        ({"sender": "a,b"}, "the sender holds a space, a comma, < or &"),
        ({"sent": "2026-11-21T18:00:00Z"}, "a moment has a fraction, a Z or no offset"),
        ({"sent": "2026-11-21T18:00:00.5+00:00"}, "a moment has a fraction, a Z or no offset"),
        ({"sent": "2026-12-21T18:00:00+00:00"}, "it expires before it is sent"),
        ({"message": Message.UPDATE}, "an update or a cancellation refers to nothing"),
        ({"references": ("a,b",)}, "a reference is not sender,identifier,sent"),
        ({"status": Status.EXERCISE}, "an exercise is not named in the note"),
        ({"status": Status.EXERCISE}, "an exercise is public"),
        ({"restriction": "members"}, "a restriction does not fit the scope"),
        ({"scope": Scope.RESTRICTED}, "a restriction does not fit the scope"),
        ({"infos": ()}, "it says nothing"),
    ],
)
def test_a_broken_rule_is_found(storm: Alert, changes: dict[str, object], flaw: str) -> None:
    assert flaw in flaws(replace(storm, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"language": "sv-FI"}, "a language is missing or there twice"),
        ({"language": ""}, "a language is missing or there twice"),
        ({"severity": "Severe"}, "its languages judge the event differently"),
        ({"headline": "x" * 161}, "a headline is longer than 160 characters"),
        ({"areas": ()}, "it holds nowhere"),
    ],
)
def test_a_broken_rule_in_one_language_is_found(storm: Alert, changes: dict[str, object], flaw: str) -> None:
    first, *others = storm.infos

    assert flaw in flaws(replace(storm, infos=(replace(first, **changes), *others)))  # type: ignore[arg-type]
