"""Model of embedding: what a script on another site is given, in words that it only has to show."""

from dataclasses import dataclass
from typing import Any

from services.notify.feeds.model import Channel, FeedItem
from shared.i18n import N_, moment, texts

NOTHING = N_("There is no guidance in force.")
MORE = N_("Read the guidance")
CALL = N_("In an emergency call 112.")
MOST = 5
"""So many items are shown on a page that is about something else; the site itself has all."""

SHOWN = 400
"""Characters of a text that are shown there."""


@dataclass(frozen=True)
class Embedded:
    """What is shown on another site."""

    channel: Channel

    @property
    def items(self) -> tuple[FeedItem, ...]:
        """The newest ones."""
        return self.channel.items[:MOST]

    def whole(self, item: FeedItem) -> bool:
        """True for a text that is short enough to be shown as it was written."""
        return len(item.plain) <= SHOWN

    def abridged(self, item: FeedItem) -> str:
        """The beginning of its text."""
        return abridged(item.plain)

    def values(self) -> dict[str, Any]:
        """Ready for JSON: plain texts, nothing of it is markup."""
        _ = texts(self.channel.locale)
        return {
            "title": self.channel.title,
            "url": self.channel.front,
            "lang": self.channel.locale.lang,
            "items": [self._values(item) for item in self.items],
            "nothing": "" if self.items else _(NOTHING),
            "note": f"{self.channel.note} {_(CALL)}",
        }

    def _values(self, item: FeedItem) -> dict[str, Any]:
        locale = self.channel.locale
        _ = texts(locale)
        return {
            "headline": item.headline,
            "lang": item.lang,
            "text": abridged(item.plain),
            "updated": _("Updated %(time)s") % {"time": moment(item.updated, locale)},
            "more": _(MORE),
            "url": item.url,
        }


def abridged(text: str) -> str:
    """The first SHOWN characters of a text, up to the end of a word."""
    if len(text) <= SHOWN:
        return text
    return text[: SHOWN - 1].rpartition(" ")[0].rstrip() + " …"
