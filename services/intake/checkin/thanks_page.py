"""Thank-you page (format): rendered once for each way it can read, then filled for each answer.

Rendering the whole page for every answer would cost more than recording it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from markupsafe import escape

from services.intake.checkin.model import CheckIn, Invited, in_words
from shared.events.intake import Amount, OperatingStatus
from shared.i18n import Locale, moment
from shared.realm import Realm

SHELLS_KEPT = 500

GAPS = ("token", "association", "recorded", "until", "offers", "needs", "note")
_GAP = re.compile(f"gap0({'|'.join(GAPS)})0gap")


@dataclass(frozen=True)
class Shell:
    """What a thank-you page shares with others: it is the same for all of one round that answered alike."""

    locale: Locale
    lang_asked: bool
    realm: Realm
    status: OperatingStatus
    closes_at: datetime
    has_until: bool
    has_offers: bool
    has_needs: bool
    plan: bool | None
    has_note: bool


def gap(name: str) -> str:
    """What is rendered where a personal value will stand."""
    return f"gap0{name}0gap"


class ThanksPages:
    """Keeps the rendered shells; `render` makes one, with gaps for all that is personal."""

    def __init__(self, render: Callable[[Shell], str]) -> None:
        self._render = render
        self._shells: dict[Shell, Sequence[str]] = {}

    def page(self, invited: Invited, recorded: CheckIn, *, token: str, locale: Locale, lang_asked: bool) -> str:
        """The page for this answer as HTML."""
        shell = Shell(
            locale=locale,
            lang_asked=lang_asked,
            realm=invited.asked.realm,
            status=recorded.said.status,
            closes_at=invited.asked.closes_at,
            has_until=recorded.said.until is not None,
            has_offers=bool(recorded.said.offers),
            has_needs=bool(recorded.said.needs),
            plan=recorded.said.plan,
            has_note=bool(recorded.said.note),
        )
        values = {
            "token": token,
            "association": escape(invited.association_name),
            "recorded": _minute(recorded.reported_at.replace(second=0, microsecond=0), locale),
            "until": _minute(recorded.said.until, locale) if recorded.said.until else "",
            "offers": _amounts(recorded.said.offers, locale),
            "needs": _amounts(recorded.said.needs, locale),
            "note": escape(recorded.said.note),
        }
        pieces = self._pieces(shell)
        return "".join(values[piece] if place % 2 else piece for place, piece in enumerate(pieces))

    def _pieces(self, shell: Shell) -> Sequence[str]:
        """The shell's text and, at the odd places, the names of the gaps."""
        pieces = self._shells.get(shell)
        if pieces is None:
            if len(self._shells) >= SHELLS_KEPT:
                self._shells.clear()
            pieces = self._shells[shell] = _GAP.split(self._render(shell))
        return pieces


@lru_cache(maxsize=100)
def _minute(value: datetime, locale: Locale) -> str:
    """The moment in words; a crowd answers within few minutes."""
    return moment(value, locale)


def _amounts(amounts: tuple[Amount, ...], locale: Locale) -> str:
    """The capabilities in words, as HTML."""
    return escape(in_words(amounts, locale)) if amounts else ""
