"""Texts in four languages: Finnish, easy Finnish, Swedish, English; dates and numbers as people here write them."""

import gettext
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

CATALOGUES = Path(__file__).parent / "locale"
HELSINKI = ZoneInfo("Europe/Helsinki")

Gettext = Callable[[str], str]


class Locale(StrEnum):
    """A language of the interface, under its gettext name."""

    FI = "fi"
    SELKO = "fi@selko"
    SV = "sv"
    EN = "en"

    @property
    def lang(self) -> str:
        """The BCP 47 tag for `lang` attributes and Content-Language; easy Finnish is Finnish."""
        return "fi" if self is Locale.SELKO else self.value

    @property
    def own_name(self) -> str:
        """The language's name in itself."""
        return {"fi": "Suomi", "fi@selko": "Selkosuomi", "sv": "Svenska", "en": "English"}[self.value]

    @property
    def babel(self) -> str:
        """The name by which Babel knows its conventions."""
        return {"fi": "fi_FI", "fi@selko": "fi_FI", "sv": "sv_FI", "en": "en_GB"}[self.value]


@dataclass(frozen=True)
class LanguageLink:
    """One entry of the language menu."""

    locale: str
    name: str
    href: str
    lang: str
    current: bool


@cache
def catalogue(locale: Locale) -> gettext.NullTranslations:
    """The texts of a locale from all catalogues; easy Finnish falls back to Finnish, English is the source."""
    if locale is Locale.EN:
        return gettext.NullTranslations()
    texts: gettext.NullTranslations = gettext.NullTranslations()
    for number, path in enumerate(sorted((CATALOGUES / locale / "LC_MESSAGES").glob("*.po"))):
        part = _compiled(path)
        if number:
            part.add_fallback(texts)
        texts = part
    if locale is Locale.SELKO:
        texts.add_fallback(catalogue(Locale.FI))
    return texts


def _compiled(path: Path) -> gettext.GNUTranslations:
    with path.open("rb") as source:
        messages = read_po(source, locale=None, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def texts(locale: Locale) -> Gettext:
    """The function usually called `_`, for one locale."""
    return catalogue(locale).gettext


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a text for the catalogues where it cannot be translated yet."""
    return message


def locale_or(name: str | None, fallback: Locale = Locale.FI) -> Locale:
    """The locale of that name, or the fallback."""
    return Locale(name) if name and name in Locale._value2member_map_ else fallback


@lru_cache(maxsize=1000)
def preferred(accept_language: str) -> Locale:
    """The best of our locales for an Accept-Language header; Finnish when none fits (RFC 9110, 12.5.4)."""
    ranges: list[tuple[float, str]] = []
    for part in accept_language.split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            ranges.append((float(weight or 1), tag[:2].lower()))
        except ValueError:
            continue
    for _, language in sorted(ranges, key=lambda entry: -entry[0]):
        if language in Locale._value2member_map_:
            return Locale(language)
    return Locale.FI


def moment(value: datetime, locale: Locale) -> str:
    """Date and time of day in Finland, short: `21.11.2026 klo 20.45`."""
    return format_datetime(value, "short", tzinfo=HELSINKI, locale=locale.babel)


def day(value: datetime, locale: Locale) -> str:
    """The date in Finland, in words."""
    return format_date(value.astimezone(HELSINKI).date(), "long", locale=locale.babel)


def clock_time(value: datetime, locale: Locale) -> str:
    """The time of day in Finland: `20.45`."""
    return format_time(value, "short", tzinfo=HELSINKI, locale=locale.babel)


@lru_cache(maxsize=10_000)
def number(value: float, locale: Locale) -> str:
    """A number with the locale's separators."""
    return format_decimal(value, locale=locale.babel)


def percent(share: float, locale: Locale) -> str:
    """A share of 1 as whole per cent."""
    return format_percent(share, "#,##0 %", locale=locale.babel)
