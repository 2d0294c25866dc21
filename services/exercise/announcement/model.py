"""Model: the announcement of an exercise, what must be right in it, and what it still means at a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from services.exercise.exercise.model import Exercise, State
from services.exercise.scenario.model import read_offset
from shared.i18n import HELSINKI, N_, Locale

TEXT_LENGTH: Final = 2000
LONGEST: Final = timedelta(days=14)
SHOWN_AFTER: Final = timedelta(days=30)
"""So long after its planned end an exercise stands in the public list."""

LANGUAGES: Final = (Locale.FI, Locale.SELKO, Locale.SV, Locale.EN)


class Stage(StrEnum):
    """What the public can do with an announced exercise: sign up while it is `open`."""

    OPEN = "open"
    RUNNING = "running"
    OVER = "over"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field of a form, in words to be translated."""

    field: str
    message: str

    @property
    def href(self) -> str:
        """Where the field is on the page."""
        return f"#f-{self.field}"


@dataclass(frozen=True)
class Draft:
    """An announcement as its leader wrote it; nothing in it is checked yet. The day and the time are those of Finland,
    `length` in hours and minutes, `texts` by locale."""

    day: str
    at: str
    length: str
    texts: Mapping[str, str]
    announced: bool


@dataclass(frozen=True)
class Announcement:
    """What is told of an exercise before it begins. It is public since `public_since` (None: it never was).

    `sequence` counts its changes since then, for calendars (RFC 5545, 3.8.7.4).
    """

    starts_at: datetime
    length: timedelta
    texts: Mapping[str, str]
    announced: bool
    changed_at: datetime
    sequence: int = 0
    public_since: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        """When it is to be over."""
        return self.starts_at + self.length

    def text(self, locale: Locale) -> tuple[str, Locale]:
        """The text for readers of this language, and the language that it is in: Finnish where there is none."""
        kept = self.texts.get(locale, "")
        if kept or locale is Locale.FI:
            return kept, locale
        return self.texts.get(Locale.FI, ""), Locale.FI

    def stage(self, exercise: Exercise) -> Stage:
        """What it means now, whatever the time: an exercise begins when its leader starts it."""
        if not self.announced or (exercise.over and exercise.started_at is None):
            return Stage.CANCELLED
        if exercise.over:
            return Stage.OVER
        return Stage.OPEN if exercise.state is State.PLANNED else Stage.RUNNING


@dataclass(frozen=True)
class Announced:
    """An exercise that was made public, with its announcement."""

    exercise: Exercise
    announcement: Announcement

    @property
    def stage(self) -> Stage:
        """What the public can do with it now."""
        return self.announcement.stage(self.exercise)

    @property
    def sequence(self) -> int:
        """How often its entry in calendars has changed; that it was called off counts."""
        called_off = self.exercise.over and self.exercise.started_at is None
        return self.announcement.sequence + int(called_off)

    @property
    def changed_at(self) -> datetime:
        """When its entry changed last."""
        called_off = self.exercise.ended_at if self.exercise.started_at is None else None
        return max(self.announcement.changed_at, called_off or self.announcement.changed_at)


def proposed(exercise: Exercise) -> dict[str, str]:
    """The texts that stand in the form at first: what the scenario says of itself."""
    return {locale.value: exercise.scenario.summary.of(locale) for locale in LANGUAGES if locale is not Locale.SELKO}


def announce(draft: Draft, present: Announcement | None, *, now: datetime) -> Announcement | Sequence[Problem]:
    """The announcement as it is from now on, or every reason why not. One that is told again is not changed."""
    starts_at, length = _moment(draft), _length(draft.length)
    problems = [*([starts_at] if isinstance(starts_at, Problem) else []), *([] if length else [TOO_LONG])]
    if isinstance(starts_at, datetime) and draft.announced and starts_at <= now:
        problems.append(Problem("day", N_("Announce an exercise before it begins.")))
    if not draft.texts.get(Locale.FI, "").strip():
        problems.append(Problem("text_fi", N_("Write the text in Finnish.")))
    problems += [
        Problem(f"text_{key(locale)}", N_("A text can have at most 2,000 characters."))
        for locale in LANGUAGES
        if len(draft.texts.get(locale, "")) > TEXT_LENGTH
    ]
    if problems or isinstance(starts_at, Problem) or length is None:
        return problems
    texts = {locale.value: text for locale in LANGUAGES if (text := draft.texts.get(locale, "").strip())}
    return _changed(present, Announcement(starts_at, length, texts, draft.announced, now), now=now)


TOO_LONG: Final = Problem("length", N_("Write how long it is as hours and minutes, like 3:30; at most 14 days."))


def key(locale: Locale) -> str:
    """How a language is named in fields of forms and in addresses."""
    return locale.value.rpartition("@")[2]


def _changed(present: Announcement | None, wanted: Announcement, *, now: datetime) -> Announcement:
    """Changes are counted from the moment on at which it was public."""
    if present is None:
        return replace(wanted, public_since=now if wanted.announced else None)
    kept = replace(wanted, changed_at=present.changed_at, sequence=present.sequence, public_since=present.public_since)
    if kept == present:
        return present
    if present.public_since is None:
        return replace(kept, changed_at=now, public_since=now if wanted.announced else None)
    return replace(kept, changed_at=now, sequence=present.sequence + 1)


def _moment(draft: Draft) -> datetime | Problem:
    try:
        day = date.fromisoformat(draft.day.strip())
        wall = datetime.combine(day, time.fromisoformat(draft.at.strip().replace(".", ":")))
    except ValueError:
        return Problem("day", N_("Choose a day and a time."))
    if not 2000 <= day.year < 2200 or wall.tzinfo:
        return Problem("day", N_("Choose a day and a time."))
    return wall.replace(tzinfo=HELSINKI).astimezone(UTC)


def _length(written: str) -> timedelta | None:
    try:
        length = read_offset(written.strip())
    except ValueError:
        return None
    return length if isinstance(length, timedelta) and timedelta() < length <= LONGEST else None
