"""Format: the addresses of the feeds, the same on the site and in the copy of plain files."""

from dataclasses import dataclass

from services.notify.guidance.model import short
from shared.i18n import Locale

WHOLE_REGION = "all"
LOCALES = {short(locale): locale for locale in Locale}
"""The languages as they stand in addresses: `fi`, `selko`, `sv`, `en`."""

ATOM, JSON, ALERTS, CALENDAR = "atom.xml", "feed.json", "cap.xml", "calendar.ics"


@dataclass(frozen=True)
class Addresses:
    """Where things are, under the address of the site."""

    public_url: str

    def feed(self, place: str, locale: Locale, file: str) -> str:
        """The feed of one place (a municipality's code, or WHOLE_REGION) in one language."""
        return f"{self.public_url}/{feed_path(place, locale, file)}"

    def alert(self, identifier: str) -> str:
        """One alert."""
        return f"{self.public_url}/{alert_path(identifier)}"

    def front(self, place: str, locale: Locale) -> str:
        """The public page that shows the same to people."""
        path = "/" if place == WHOLE_REGION else f"/m/{place}"
        return f"{self.public_url}{path}?lang={locale.value.replace('@', '%40')}"


def feed_path(place: str, locale: Locale, file: str) -> str:
    """Where a feed stands below the site; the list of alerts is the same in every language."""
    return f"feeds/{place}/{ALERTS}" if file == ALERTS else f"feeds/{place}/{short(locale)}/{file}"


def alert_path(identifier: str) -> str:
    """Where an alert stands below the site."""
    return f"feeds/alerts/{identifier}.xml"
