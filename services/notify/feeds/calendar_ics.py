"""Format: guidance and what is announced as a calendar (iCalendar, RFC 5545): from release to expiry."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event

from services.notify.feeds.addresses import CALENDAR
from services.notify.feeds.model import Announced, Channel, FeedItem
from shared import region
from shared.i18n import Locale

MEDIA_TYPE = "text/calendar"
MAKER = "-//Valmius//Guidance//EN"
LOOK_AGAIN = timedelta(minutes=15)
"""How often programs are asked to look for something new."""


def calendar_ics(channel: Channel) -> bytes:
    """What is in force and what is announced. An entry keeps its UID through corrections; each raises its SEQUENCE."""
    calendar = Calendar()
    calendar.add("prodid", MAKER)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for name in ("name", "x-wr-calname"):
        calendar.add(name, channel.title, parameters={"LANGUAGE": channel.locale.lang})
    calendar.add("description", channel.note)
    calendar.add("source", channel.address(CALENDAR), parameters={"VALUE": "URI"})
    for name in ("refresh-interval", "x-published-ttl"):
        calendar.add(name, LOOK_AGAIN, parameters={"VALUE": "DURATION"})
    for item in channel.items:
        calendar.add_component(_guidance(item, channel.locale))
    for one in channel.announced:
        calendar.add_component(_announced(one, channel.locale))
    written: bytes = calendar.to_ical()
    return written


def _guidance(item: FeedItem, locale: Locale) -> Event:
    return _event(
        uid=item.urn,
        sequence=item.number - 1,
        starts=item.published,
        ends=item.expires,
        changed_at=item.updated,
        cancelled=item.kind == "cancel",
        summary=item.headline,
        description=item.plain,
        lang=item.lang,
        places=item.places,
        locale=locale,
        url=item.url,
    )


def _announced(one: Announced, locale: Locale) -> Event:
    wanted = locale if locale in one.titles else Locale.FI
    return _event(
        uid=one.uid.urn,
        sequence=one.changes,
        starts=one.starts,
        ends=one.ends,
        changed_at=one.changed_at,
        cancelled=one.cancelled,
        summary=one.titles[wanted],
        description=one.texts.get(wanted, ""),
        lang=wanted.lang,
        places=tuple(place for place in region.MUNICIPALITIES if place.code in one.areas),
        locale=locale,
        url=one.url,
    )


def _event(
    *,
    uid: str,
    sequence: int,
    starts: datetime,
    ends: datetime,
    changed_at: datetime,
    cancelled: bool,
    summary: str,
    description: str,
    lang: str,
    places: Sequence[region.Municipality],
    locale: Locale,
    url: str,
) -> Event:
    """It lies over a day without making anybody busy."""
    event, language = Event(), {"LANGUAGE": lang}
    event.add("uid", uid)
    event.add("sequence", sequence)
    for name, moment in (
        ("dtstamp", changed_at),
        ("last-modified", changed_at),
        ("dtstart", starts),
        ("dtend", ends),
    ):
        event.add(name, moment.astimezone(UTC).replace(microsecond=0))
    event.add("summary", summary, parameters=language)
    event.add("description", f"{description}\n\n{url}".strip(), parameters=language)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("location", _where(places, locale), parameters={"LANGUAGE": locale.lang})
    event.add("url", url)
    return event


def _where(places: Sequence[region.Municipality], locale: Locale) -> str:
    if not places or len(places) == len(region.MUNICIPALITIES):
        return region.REGION.name(locale)
    return ", ".join(place.name(locale) for place in places)
