"""Model of the ready texts: one situation in all four languages."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.i18n import Locale


@dataclass(frozen=True)
class Words:
    """A headline and a text in Markdown, in one language."""

    headline: str
    text: str


@dataclass(frozen=True)
class ReadyText:
    """A text to begin from; places in [brackets] are filled in by whoever uses it."""

    name: str
    valid_hours: int
    texts: Mapping[Locale, Words]

    def title(self, locale: Locale) -> str:
        """What it is called in a list: its headline in this language."""
        return self.texts[locale].headline
