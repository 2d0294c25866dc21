"""Earlier line (format): what the letter to the next contact says of those who were asked before."""

from collections.abc import Sequence

from services.intake.invitation.model import Tried
from shared.i18n import N_, Locale, moment, texts

LAST = 2
NAME_LIMIT = 50
"""So many contacts and letters of a name, so that the line stays within what a letter takes of one value."""

SILENT = N_("We asked %(name)s on %(time)s and have no answer yet.")
FAILED = N_("We wrote to %(name)s on %(time)s, but the letter did not arrive.")
NOT_NAMED = N_("another contact of yours")


def earlier_line(tried: Sequence[Tried], locale: Locale) -> str:
    """One sentence for each of the last who were asked, first to last; empty if it is not known when that was."""
    known = sorted((one for one in tried if one.asked_at), key=lambda one: one.turn)
    return " ".join(_sentence(one, locale) for one in known[-LAST:])


def _sentence(one: Tried, locale: Locale) -> str:
    _ = texts(locale)
    sentence = _(FAILED if one.failed_at else SILENT)
    time = moment(one.asked_at, locale) if one.asked_at else ""
    line = sentence % {"name": _plain(one.name) or _(NOT_NAMED), "time": time}
    return line[:1].upper() + line[1:]


def _plain(name: str) -> str:
    """On one line, without what a letter refuses."""
    return "".join(c for c in " ".join(name.split()) if c.isprintable())[:NAME_LIMIT].strip()
