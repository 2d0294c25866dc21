"""Model: whether the actions that a scenario expects were done, by the log of the exercise or by who led it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.exercise.director.model import InjectState, Line
from services.exercise.scenario.model import Contingency, DoneBy, Inject, Words
from shared.i18n import N_

LONGEST_NOTE: Final = 1000

Log = Mapping[DoneBy, Sequence[timedelta]]
"""When, by the clock of the exercise, what the log can show came about; in order of time."""


class Verdict(StrEnum):
    """Whether an expected action was done."""

    DONE = "done"
    NOT_DONE = "not-done"
    UNKNOWN = "unknown"
    NOT_PUT_IN = "not-put-in"


VERDICT_NAMES = {
    Verdict.DONE: N_("Done"),
    Verdict.NOT_DONE: N_("Not done"),
    Verdict.UNKNOWN: N_("Not judged"),
    Verdict.NOT_PUT_IN: N_("Not put in"),
}


class Judge(StrEnum):
    """Who says so."""

    LOG = "log"
    LEADER = "leader"
    NOBODY = "nobody"


class Flaw(StrEnum):
    """Why a judgement was not kept."""

    NO_VERDICT = "no verdict"
    NOTE_TOO_LONG = "note too long"


@dataclass(frozen=True)
class Mark:
    """The judgement of somebody who leads, on the action that inject `number` expects."""

    number: int
    verdict: Verdict
    note: str
    marked_at: datetime
    marked_by: UUID


@dataclass(frozen=True)
class Action:
    """An expected action with what became of it. `put_in` is when its inject was, `done_at` when the log shows it done,
    both by the clock of the exercise; it is `late` if the scenario wanted it sooner."""

    number: int
    expected: Words
    objective: str
    verdict: Verdict
    judge: Judge
    put_in: timedelta | None = None
    done_at: timedelta | None = None
    done_by: DoneBy | None = None
    late: bool = False
    note: str = ""


def judged(lines: Sequence[Line], marks: Mapping[int, Mark], log: Log, *, over: bool) -> tuple[Action, ...]:
    """Every expected action with its verdict, in the order of the timeline.

    Who leads has the last word. Else the log speaks where the scenario says by what it can: the action is done by the
    first such thing after its inject was put in, and not done if that came too late, or not before all was over.
    Contingency injects that were not needed are left out.
    """
    wanted = [
        line
        for line in lines
        if line.state is InjectState.FIRED
        or not isinstance(line.scripted, Contingency)
        or line.scripted.number in marks
    ]
    return tuple(_judged(line, marks.get(line.scripted.number), log, over=over) for line in wanted)


def write_mark(number: int, verdict: str, note: str, *, by: UUID, now: datetime) -> Mark | tuple[Flaw, ...]:
    """The judgement as it is kept, or every reason why not."""
    chosen = next((one for one in (Verdict.DONE, Verdict.NOT_DONE) if one == verdict), None)
    text = " ".join(note.split())
    flaws = tuple(
        flaw
        for holds, flaw in (
            (chosen is not None, Flaw.NO_VERDICT),
            (len(text) <= LONGEST_NOTE, Flaw.NOTE_TOO_LONG),
        )
        if not holds
    )
    return flaws if flaws or chosen is None else Mark(number, chosen, text, now, by)


def _judged(line: Line, mark: Mark | None, log: Log, *, over: bool) -> Action:
    scripted = line.scripted
    put_in = line.offset if line.state is InjectState.FIRED else None
    done_at = _first(log, scripted.done_by, put_in)
    late = _late(scripted, put_in, done_at)
    if mark is not None:
        verdict, judge = mark.verdict, Judge.LEADER
    elif put_in is None:
        verdict, judge = Verdict.NOT_PUT_IN, Judge.NOBODY
    elif done_at is not None:
        verdict, judge = Verdict.NOT_DONE if late else Verdict.DONE, Judge.LOG
    elif over and scripted.done_by is not None:
        verdict, judge = Verdict.NOT_DONE, Judge.LOG
    else:
        verdict, judge = Verdict.UNKNOWN, Judge.NOBODY
    return Action(
        number=scripted.number,
        expected=scripted.expected,
        objective=scripted.objective,
        verdict=verdict,
        judge=judge,
        put_in=put_in,
        done_at=done_at,
        done_by=scripted.done_by,
        late=late,
        note=mark.note if mark else "",
    )


def _late(scripted: Inject | Contingency, put_in: timedelta | None, done_at: timedelta | None) -> bool:
    limit = scripted.done_within
    return limit is not None and put_in is not None and done_at is not None and done_at > put_in + limit


def _first(log: Log, done_by: DoneBy | None, put_in: timedelta | None) -> timedelta | None:
    """When it was done: that half have answered already when the inject comes is as good as done then."""
    if done_by is None or put_in is None:
        return None
    moments = log.get(done_by, ())
    if done_by is DoneBy.HALF_ANSWERED:
        return max(moments[0], put_in) if moments else None
    return next((moment for moment in moments if moment >= put_in), None)
