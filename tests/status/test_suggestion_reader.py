"""Feeds from outside: what is read of them, and that nothing in them can do harm."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.status.geography.model import Boundaries
from services.status.suggestion import cap_reader
from services.status.suggestion.cap_reader import LARGEST, UnfitFeedError, read_feed
from services.status.suggestion.model import CENTRES, concerned, inside, suggestion
from tests.fakes import STORM_EVENING
from tests.status.warnings import FORSSA_BOX, LAPLAND_BOX, alert, area, atom, info

NOWHERE = Boundaries()
SQUARE = ((23.5, 60.75), (23.7, 60.75), (23.7, 60.85), (23.5, 60.85), (23.5, 60.75))
OUTLINES = Boundaries("x", {"061": ((SQUARE,),)})

BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY a%d "&a%d;&a%d;">' % (n, n - 1, n - 1) for n in range(1, 30))
    + b"]><feed>&a29;</feed>"
)


@pytest.mark.parametrize(
    "document",
    [
        BOMB,
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><feed/>',
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><feed>&e;</feed>',
        b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p"> %p;]><feed/>',
        b"<!DOCTYPE feed><feed/>",
        b"<feed>&unknown;</feed>",
        b"<a>" * 100 + b"</a>" * 100,
        b" " * (LARGEST + 1),
        b"x" * 50_000_000,
        b"",
        b"nonsense",
        b"<feed>",
        b'<?xml version="1.0" encoding="nonsense"?><feed/>',
        b"\xff\xfe\x00",
    ],
    ids=lambda document: document[:40].decode("latin-1"),
)
def test_hostile_and_broken_documents_are_refused(document: bytes) -> None:
    with pytest.raises(UnfitFeedError):
        read_feed(document)


def test_a_document_with_too_many_elements_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cap_reader, "NODES", 100)

    assert read_feed(b"<feed>" + b"<a/>" * 99 + b"</feed>").bulletins == ()
    with pytest.raises(UnfitFeedError):
        read_feed(b"<feed>" + b"<a/>" * 100 + b"</feed>")


@settings(max_examples=40)
@given(st.binary(max_size=200))
@example(b"<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'><sent>9999-12-31T23:59:59-12:00</sent></alert>")
def test_no_document_breaks_the_reader(document: bytes) -> None:
    for whole in (document, atom(alert(document.decode("latin-1").replace("<", "").replace("&", "")))):
        try:
            read_feed(whole)
        except UnfitFeedError:
            continue


@settings(max_examples=40)
@given(*(st.text("0123456789.,- +einfT:aZ", max_size=40) for _ in range(4)))
def test_no_value_breaks_what_is_made_of_it(sent: str, polygon: str, circle: str, expires: str) -> None:
    document = atom(alert(info(area("x", polygon=polygon, circle=circle), expires=expires, severity=sent), sent=sent))
    valid = atom(alert(info(area("x", polygon=polygon, circle=circle), expires=expires, severity=sent)))

    for bulletin in (*read_feed(document).bulletins, *read_feed(valid).bulletins):
        suggestion(bulletin, OUTLINES, STORM_EVENING)


def where(areas: str, boundaries: Boundaries = NOWHERE) -> tuple[str, ...]:
    [bulletin] = read_feed(atom(alert(info(areas)))).bulletins
    return concerned(bulletin, boundaries)


def test_a_place_is_found_by_code_name_and_shape() -> None:
    assert where(area("x", code=("KUNTA", "61"))) == ("061",)
    assert where(area("x", code=("kunta", "834"))) == ("834",)
    assert where(area("Jokioinen ja Ypäjä")) == ("169", "981")
    assert where(area("Tavastehus, Loppi")) == ("109", "433")
    assert where(area("Riihimäen seutu")) == ("086", "433", "694")
    assert where(area("x", polygon=FORSSA_BOX)) == ("061", "169", "834")
    assert where(area("x", circle="60.81,23.62 5")) == ("061",)


@pytest.mark.parametrize(
    "areas",
    [area("Kanta-Häme"), area("x", code=("ISO 3166-2", "FI-06")), area("x", code=("NUTS3", "FI1C2"))],
)
def test_the_whole_region_is_found(areas: str) -> None:
    assert len(where(areas)) == 11


@pytest.mark.parametrize(
    "areas",
    [
        area("Uusimaa"),
        area("Päijät-Häme"),
        area("Hattulanlahti"),
        area("x", polygon=LAPLAND_BOX),
        area("x", code=("KUNTA", "091")),
        area("x", code=("EMMA_ID", "FI004")),
        area("x", circle="68,24 100"),
        area("x", polygon="60.7,23.4 60.9,23.8"),
    ],
)
def test_what_is_elsewhere_does_not_concern_us(areas: str) -> None:
    assert where(areas) == ()


def test_with_outlines_an_area_that_only_touches_is_enough() -> None:
    corner = "60.84,23.69 60.84,24.0 61.0,24.0 61.0,23.69 60.84,23.69"
    across = "60.0,23.55 60.0,23.6 61.5,23.6 61.5,23.55 60.0,23.55"
    around = "60.0,23.0 60.0,24.0 61.5,24.0 61.5,23.0 60.0,23.0"

    assert "061" not in where(area("x", polygon=corner))
    assert "061" in where(area("x", polygon=corner), OUTLINES)
    assert "061" in where(area("x", polygon=across), OUTLINES)
    assert "061" in where(area("x", polygon=around), OUTLINES)
    assert "061" not in where(area("x", polygon=LAPLAND_BOX), OUTLINES)


def test_the_middles_of_the_municipalities_are_in_the_region() -> None:
    region = ((22.9, 60.5), (25.3, 60.5), (25.3, 61.4), (22.9, 61.4), (22.9, 60.5))

    assert len(CENTRES) == 11
    assert all(inside(centre, region) for centre in CENTRES.values())


def test_only_what_is_real_and_public_is_read() -> None:
    body = info(area())
    others = [("Exercise", "Public"), ("Test", "Public"), ("System", "Public"), ("Draft", "Public"), ("", "Public"),
              ("Actual", "Restricted"), ("Actual", "Private"), ("actual", "Public")]  # fmt: skip

    assert len(read_feed(atom(alert(body))).bulletins) == 1
    for status, scope in others:
        assert read_feed(atom(alert(body, status=status, scope=scope))).bulletins == ()
    for message in ("Ack", "Error", ""):
        assert read_feed(atom(alert(body, message=message))).bulletins == ()


def test_a_warning_alone_and_links_of_a_feed_are_read() -> None:
    feed = b"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="/1.xml" type="application/cap+xml"/>
        <link href="/page"/></entry></feed>"""
    rss = b"<rss><channel><link>https://x.example.org</link><item><link>/2.xml</link></item></channel></rss>"

    assert len(read_feed(alert(info(area())).encode()).bulletins) == 1
    assert read_feed(feed).links == ("/1.xml",)
    assert read_feed(rss).links == ("/2.xml",)


def test_a_suggestion_has_the_words_of_each_language_and_the_kind_of_situation() -> None:
    swedish = info(area("Forssa"), language="sv-FI", headline="Orange vindvarning", severity="Moderate")
    [bulletin] = read_feed(atom(alert(info(area()) + swedish))).bulletins

    found = suggestion(bulletin, NOWHERE, STORM_EVENING)

    assert found is not None
    assert (found.kind, found.severity, found.municipalities) == ("storm", "Severe", ("061",))
    assert found.name("sv") == "Orange vindvarning"
    assert found.name("en") == found.name("fi@selko") == "Oranssi tuulivaroitus: Kanta-Häme"


@pytest.mark.parametrize(
    ("event", "code", "kind"),
    [
        ("x", "OET-145", "power-cut"),
        ("x", "forestFireWeather", "wildfire"),
        ("Juomavesi on saastunut", "x", "water"),
        ("Ukonilmavaroitus: ukkonen", "x", "storm"),
        ("Kuusenkaatovaroitus", "x", "other"),
    ],
)
def test_the_kind_is_found_by_code_or_by_word(event: str, code: str, kind: str) -> None:
    [bulletin] = read_feed(atom(alert(info(area(), event=event, headline="x", code=code)))).bulletins

    found = suggestion(bulletin, NOWHERE, STORM_EVENING)

    assert found is not None
    assert found.kind == kind


def test_what_has_expired_is_no_suggestion() -> None:
    [bulletin] = read_feed(atom(alert(info(area(), expires="2026-11-21T19:59:00+02:00")))).bulletins

    assert suggestion(bulletin, NOWHERE, STORM_EVENING) is None
