"""Capability list (format): the two lists of the answer form. One in which nothing is marked, as most people first see
it, is rendered once for each language: its thirty lines would cost as much as all the rest of the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from services.intake.checkin.answer_form import List, Marks, Wrong
from shared.i18n import N_, Locale, texts
from shared.region import CAPABILITIES

TITLES = {
    List.NEED: N_("What help do you need?"),
    List.OFFER: N_("What can you offer others?"),
}


@dataclass(frozen=True)
class Row:
    """One capability as the page shows it; `error` is empty where nothing is wrong."""

    code: str
    name: str
    marked: bool
    written: str
    error: str


@dataclass(frozen=True)
class Shown:
    """One list as the page shows it. It is `repeated` where its marks are those of the present answer, and nobody has
    sent them anew."""

    name: str
    title: str
    rows: Sequence[Row]
    repeated: bool

    @property
    def marked(self) -> int:
        """How many are marked."""
        return sum(row.marked for row in self.rows)

    @property
    def wrong(self) -> bool:
        """True if a line must be mended."""
        return any(row.error for row in self.rows)


class CapabilityLists:
    """Writes the lists; `render` makes one in a language."""

    def __init__(self, render: Callable[[Locale, Shown], str]) -> None:
        self._render = render
        self._unmarked: dict[tuple[Locale, List], Markup] = {}

    def html(self, which: List, marks: Marks, *, wrong: Sequence[Wrong], sent: bool, locale: Locale) -> Markup:
        """One list as HTML; `wrong` is what must be mended in the form that was sent."""
        if marks.marked:
            return self._html(which, marks, wrong=wrong, sent=sent, locale=locale)
        if (locale, which) not in self._unmarked:
            self._unmarked[locale, which] = self._html(which, marks, wrong=(), sent=sent, locale=locale)
        return self._unmarked[locale, which]

    def _html(self, which: List, marks: Marks, *, wrong: Sequence[Wrong], sent: bool, locale: Locale) -> Markup:
        errors = {one.field: wrong_in_words(one, locale) for one in wrong}
        rows = [
            Row(
                code=capability.code,
                name=capitalised(capability.name(locale)),
                marked=capability.code in marks.marked,
                written=marks.written.get(capability.code, ""),
                error=errors.get(f"{which}-{capability.code}", ""),
            )
            for capability in CAPABILITIES
        ]
        shown = Shown(which.value, texts(locale)(TITLES[which]), rows, repeated=not sent and bool(marks.marked))
        return Markup(self._render(locale, shown))  # noqa: S704 - the template has escaped what was written


def wrong_in_words(wrong: Wrong, locale: Locale) -> str:
    """What must be mended, with the name of the capability that it is about."""
    names = {capability.code: capability.name(locale) for capability in CAPABILITIES}
    return texts(locale)(wrong.message) % {"what": capitalised(names.get(wrong.capability, ""))}


def capitalised(name: str) -> str:
    """The name as it begins a line; what follows the first letter stays as it is."""
    return name[:1].upper() + name[1:]
