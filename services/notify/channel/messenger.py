"""Messenger: short messages by Apprise to SMS gateways and messengers, which the operator has named in the settings."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from services.notify.cap.model import Release, guidance_url, told
from services.notify.channel.model import ChannelError, Happening, Message
from services.notify.feeds.model import NOT_OFFICIAL
from shared import region
from shared.i18n import N_, Locale, texts
from shared.ids import derived_token
from shared.settings import SettingsError

WITHIN = 20.0
"""Seconds for one message; Apprise's own time-outs are shorter, and it goes on in a thread of its own."""

MISSING = "VALMIUS_CHANNELS: the package that speaks to messengers is missing; install valmius[channels]"
UNKNOWN = "VALMIUS_CHANNELS: address number {number} is none that Apprise knows"

SAID = {
    Happening.RELEASED: N_("Guidance published: %(headline)s"),
    Happening.CORRECTED: N_("Guidance corrected: %(headline)s"),
    Happening.WITHDRAWN: "%(headline)s",
}
EMERGENCY = N_("In an emergency call 112.")


@dataclass(frozen=True)
class Note:
    """A short message."""

    title: str
    body: str


@dataclass(frozen=True)
class Messenger:
    """The channel to one address of Apprise. `service` is what stands at its other end, in Apprise's words."""

    name: str
    service: str
    public_url: str
    plugin: Any

    async def send(self, message: Message) -> str:
        """Send it as a short text in Finnish, and in Swedish where it is written in it. Raises ChannelError."""
        if message.release is None or not message.realm.live:
            raise ChannelError("nothing to tell")
        note = note_of(message, message.release, public_url=self.public_url)
        try:
            async with asyncio.timeout(WITHIN):
                taken = await self.plugin.async_notify(title=note.title, body=note.body)
        except TimeoutError as error:
            raise ChannelError("timeout", answered=False) from error
        except Exception as error:  # plugins of a hundred services: whatever one of them raises is its own fault
            raise ChannelError(type(error).__name__) from error
        if not taken:
            raise ChannelError("not taken")
        return "taken"


def note_of(message: Message, release: Release, *, public_url: str) -> Note:
    """What is told, where it holds, where to read it: no more than an SMS or two."""
    revision = release.revision
    written = [locale for locale in (Locale.FI, Locale.SV) if locale in revision.draft.texts]
    titles = [
        texts(locale)(SAID[message.happening]) % {"headline": told(revision, locale).headline} for locale in written
    ]
    _, areas = texts(Locale.FI), revision.draft.matching.areas
    places = [place.fi for place in region.MUNICIPALITIES if place.code in areas] or [region.REGION.fi]
    lines = [
        *titles[1:],
        _("For: %(areas)s") % {"areas": ", ".join(places)},
        guidance_url(public_url, revision, Locale.FI),
        f"{_(NOT_OFFICIAL)} {_(EMERGENCY)}",
    ]
    return Note(titles[0], "\n".join(lines))


def _title(message: Message, headline: str, locale: Locale) -> str:
    return texts(locale)(SAID[message.happening]) % {"headline": headline}


def messengers(addresses: Sequence[str], *, public_url: str, secret: str) -> list[Messenger]:
    """The messengers at these addresses of Apprise. Raises SettingsError, which never repeats an address: it holds the
    password."""
    if not addresses:
        return []
    try:
        from apprise import Apprise  # noqa: PLC0415 - a package that most installations do without
    except ImportError as error:
        raise SettingsError(MISSING) from error
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it would log addresses, and what receivers answer
    found = []
    for number, address in enumerate(addresses, start=1):
        plugin = Apprise.instantiate(address)
        if plugin is None:
            raise SettingsError(UNKNOWN.format(number=number))
        name = derived_token(secret, "messenger", uuid5(NAMESPACE_URL, address))[:16]
        found.append(Messenger(f"messenger:{name}", str(plugin.service_name), public_url, plugin))
    return found
