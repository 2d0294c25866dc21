"""Format: announced exercises as a calendar (iCalendar, RFC 5545), each with the mark of an exercise in its summary."""

from collections.abc import Sequence
from datetime import UTC, timedelta

from icalendar import Calendar, Event

from services.exercise.announcement.model import Announced, Stage
from services.exercise.scenario.model import MARKS
from shared import region
from shared.i18n import N_, Locale, texts

MEDIA_TYPE = "text/calendar"
MAKER = "-//Valmius//Exercises//EN"
NAME = N_("Exercises of the associations of Kanta-Häme")
LOOK_AGAIN = timedelta(hours=6)
"""How often programs are asked to look for something new."""


def exercises_ics(announced: Sequence[Announced], locale: Locale, *, public_url: str) -> bytes:
    """These exercises. An entry keeps its UID through all changes; each raises its SEQUENCE, calling off too."""
    calendar = Calendar()
    calendar.add("prodid", MAKER)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    name = texts(locale)(NAME)
    for key in ("name", "x-wr-calname"):
        calendar.add(key, name, parameters={"LANGUAGE": locale.lang})
    for key in ("refresh-interval", "x-published-ttl"):
        calendar.add(key, LOOK_AGAIN, parameters={"VALUE": "DURATION"})
    for one in announced:
        calendar.add_component(_event(one, locale, public_url=public_url))
    written: bytes = calendar.to_ical()
    return written


def page_of(announced: Announced, *, public_url: str) -> str:
    """Where it is announced."""
    return f"{public_url}/exercise/announced/{announced.exercise.id}"


def _event(one: Announced, locale: Locale, *, public_url: str) -> Event:
    event, scenario = Event(), one.exercise.scenario
    text, lang = one.announcement.text(locale)
    page = page_of(one, public_url=public_url)
    places = [region.municipality(code).name(locale) for code in scenario.municipalities]
    event.add("uid", one.exercise.id.urn)
    event.add("sequence", one.sequence)
    for name, moment in (
        ("dtstamp", one.changed_at),
        ("last-modified", one.changed_at),
        ("dtstart", one.announcement.starts_at),
        ("dtend", one.announcement.ends_at),
    ):
        event.add(name, moment.astimezone(UTC).replace(microsecond=0))
    event.add("summary", scenario.title.told()[locale.lang], parameters={"LANGUAGE": locale.lang})
    event.add("description", f"{MARKS[lang.lang]}: {text}\n\n{page}", parameters={"LANGUAGE": lang.lang})
    event.add("status", "CANCELLED" if one.stage is Stage.CANCELLED else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("location", ", ".join(places), parameters={"LANGUAGE": locale.lang})
    event.add("url", page)
    return event
