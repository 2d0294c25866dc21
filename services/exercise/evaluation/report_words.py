"""Format: an after-action report in the words of one language. The page and every file say these."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from babel.dates import format_date

from services.exercise.evaluation.model import AfterActionReport, Dimension, Happening, Measures, Moment, Part
from services.exercise.evaluation.trend_svg import Drawing, draw
from services.exercise.exercise.model import STATE_NAMES
from services.exercise.expectation.model import VERDICT_NAMES, Action, Judge, Verdict
from services.exercise.observation.model import SORT_NAMES, Observation, Sort
from services.exercise.scenario.model import DoneBy, written_offset
from shared import region
from shared.i18n import HELSINKI, N_, Gettext, Locale, catalogue, moment, number, percent, texts
from shared.web import SITE

Cell = str | int | float | timedelta | None
"""A count is an int, a share a float, a span of the exercise's clock a timedelta; None where it never came to that."""

HAPPENINGS = {
    Happening.SITUATION_OPENED: N_("The situation was opened."),
    Happening.ROUND_OPENED: N_("A round was opened."),
    Happening.ROUND_CLOSED: N_("A round was closed."),
    Happening.GUIDANCE_PUBLISHED: N_("Guidance was published."),
    Happening.GUIDANCE_UPDATED: N_("Guidance was updated."),
    Happening.GUIDANCE_WITHDRAWN: N_("Guidance was withdrawn."),
}
DONE_BY_NAMES = {
    DoneBy.SITUATION_OPENED: N_("the situation was opened"),
    DoneBy.ROUND_OPENED: N_("a round was opened"),
    DoneBy.HALF_ANSWERED: N_("half of those asked had answered"),
    DoneBy.GUIDANCE_PUBLISHED: N_("guidance was published"),
    DoneBy.GUIDANCE_UPDATED: N_("guidance was updated or withdrawn"),
    DoneBy.GUIDANCE_WITHDRAWN: N_("guidance was withdrawn"),
}
DIMENSIONS = {
    Dimension.MUNICIPALITY: (N_("By municipality"), N_("Nobody was asked.")),
    Dimension.SECTOR: (N_("By sector"), N_("Nobody was asked.")),
    Dimension.NETWORK: (N_("By network"), N_("Nobody who was asked belongs to a network.")),
}
COURSE_SHOWN = 100


@dataclass(frozen=True)
class Headline:
    """One figure that is seen first, and of what it is."""

    label: str
    value: Cell
    note: str


@dataclass(frozen=True)
class Row:
    """The measures of one part under its name, in the order of the columns."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Group:
    """Rows by one dimension; `note` stands where there are none."""

    title: str
    rows: tuple[Row, ...]
    note: str


@dataclass(frozen=True)
class ActionTold:
    """An expected action: the number of its inject, what became of it, who says so, and what they noted."""

    number: int
    expected: str
    put_in: timedelta | None
    verdict: Verdict
    judgement: str
    source: str
    note: str


@dataclass(frozen=True)
class ObjectiveTold:
    """An objective of the scenario with the actions expected under it."""

    title: str
    done: str
    actions: tuple[ActionTold, ...]


@dataclass(frozen=True)
class ObservationTold:
    """An observation; `until` says by when its corrective action is to be done, and whether it is."""

    observation: Observation
    sort: str
    objective: str
    until: str


@dataclass(frozen=True)
class Told:
    """A report in one language."""

    lang: str
    banner: str
    source: str
    title: str
    facts: tuple[tuple[str, str], ...]
    summary: tuple[str, ...]
    headlines: tuple[Headline, ...]
    columns: tuple[str, ...]
    whole: Row
    groups: tuple[Group, ...]
    drawing: Drawing | None
    objectives: tuple[ObjectiveTold, ...]
    strengths: tuple[ObservationTold, ...]
    to_improve: tuple[ObservationTold, ...]
    course: tuple[tuple[timedelta, str], ...]
    method: tuple[str, ...]


def tell(report: AfterActionReport, locale: Locale) -> Told:
    """The report in a language."""
    _ = texts(locale)
    exercise = report.exercise
    title = _("After-action report: %(exercise)s") % {"exercise": exercise.scenario.title.of(locale)}
    told = [_observation(one, report, locale) for one in report.observations]
    return Told(
        lang=locale.lang,
        banner=_("EXERCISE – this is not a real situation"),
        source=_(SITE),
        title=" ".join((_("EXERCISE:"), title)),
        facts=tuple(_facts(report, locale)),
        summary=tuple(_summary(report, locale)),
        headlines=tuple(headlines(report, locale)),
        columns=columns(locale),
        whole=Row(_("All"), cells(report.whole)),
        groups=tuple(_groups(report, locale)),
        drawing=draw(report.answers, length=report.length, asked=report.whole.asked) if report.answers else None,
        objectives=tuple(_objectives(report, locale)),
        strengths=tuple(one for one in told if one.observation.sort is Sort.STRENGTH),
        to_improve=tuple(one for one in told if one.observation.sort is Sort.TO_IMPROVE),
        course=tuple(_course(report.course, locale)),
        method=tuple(_method(report, locale)),
    )


def columns(locale: Locale) -> tuple[str, ...]:
    """The headings of the measures."""
    _ = texts(locale)
    return (
        *(_("Asked"), _("Answered"), _("Answered, of those asked"), _("Declined"), _("Not reached"), _("Silent")),
        *(_("First answer after"), _("Half of the answers after"), _("Nine in ten answers after")),
    )


def cells(measures: Measures) -> tuple[Cell, ...]:
    """The measures in the order of the columns."""
    one = measures
    share = one.share(one.answered) if one.asked else None
    counts = (one.asked, one.answered, share, one.declined, one.not_reached, one.silent)
    return (*counts, one.first, one.half, one.ninety)


def written(cell: Cell, locale: Locale) -> str:
    """A cell as it is read."""
    match cell:
        case None:
            return "–"
        case str():
            return cell
        case timedelta():
            return written_offset(cell)
        case float():
            return percent(cell, locale)
        case _:
            return number(cell, locale)


def headlines(report: AfterActionReport, locale: Locale) -> Iterable[Headline]:
    """What is seen first, and is compared between exercises. Each says of what it is."""
    _ = texts(locale)
    whole = report.whole

    def of_asked(label: str, count: int) -> Headline:
        note = _("%(count)s of %(asked)s asked") % {
            "count": number(count, locale),
            "asked": number(whole.asked, locale),
        }
        return Headline(label, whole.share(count) if whole.asked else None, note)

    since = _("from the asking")
    yield of_asked(_("Answered"), whole.answered)
    yield of_asked(_("Silent"), whole.silent)
    yield of_asked(_("Not reached"), whole.not_reached)
    yield of_asked(_("Declined"), whole.declined)
    yield Headline(_("First answer after"), whole.first, since)
    yield Headline(_("Half of the answers after"), whole.half, since)
    yield Headline(_("Nine in ten answers after"), whole.ninety, since)
    yield Headline(_("Half of those asked had answered after"), whole.half_asked, since)
    yield Headline(
        _("Expected actions done"),
        report.count(Verdict.DONE),
        _("of %(count)s that could be expected") % {"count": number(report.put_in, locale)},
    )


def part_name(part: Part, dimension: Dimension, names: Mapping[str, Mapping[str, str]], locale: Locale) -> str:
    """The name of a municipality, sector or network in a language, else its code."""
    if not part.code:
        return texts(locale)(N_("Not in the register"))
    if dimension is Dimension.NETWORK:
        told = names.get(part.code, {})
        return told.get(locale.value, "") or told.get("fi", "") or part.code
    return region.names(locale).get(part.code, part.code)


def written_day(day: date, locale: Locale) -> str:
    """A day as people here write it."""
    return format_date(datetime.combine(day, time(), tzinfo=HELSINKI), "short", locale=locale.babel)


def _facts(report: AfterActionReport, locale: Locale) -> Iterable[tuple[str, str]]:
    _ = texts(locale)
    exercise = report.exercise
    if exercise.started_at:
        yield _("Begun"), moment(exercise.started_at, locale)
    if exercise.ended_at:
        yield _("Over"), moment(exercise.ended_at, locale)
    yield _("State"), _(STATE_NAMES[exercise.state])
    played = {"played": written_offset(report.length), "length": written_offset(exercise.scenario.length)}
    yield _("Clock of the exercise"), _("%(played)s of %(length)s") % played
    names = region.names(locale)
    yield _("Area"), ", ".join(names[code] for code in exercise.scenario.municipalities)
    yield _("Addresses that took part"), number(report.participants, locale)
    yield _("Moment of the figures"), moment(report.compiled_at, locale)


def _summary(report: AfterActionReport, locale: Locale) -> Iterable[str]:
    _, ngettext = texts(locale), catalogue(locale).ngettext
    whole = report.whole
    if not whole.asked:
        yield _("No association was asked in this exercise.")
    else:
        yield _(
            "Of %(asked)s associations asked %(answered)s answered (%(share)s). %(declined)s declined, %(not_reached)s"
            " were not reached, and %(silent)s stayed silent."
        ) % {
            "asked": number(whole.asked, locale),
            "answered": number(whole.answered, locale),
            "share": percent(whole.share(whole.answered), locale),
            "declined": number(whole.declined, locale),
            "not_reached": number(whole.not_reached, locale),
            "silent": number(whole.silent, locale),
        }
    if whole.half is not None and whole.ninety is not None:
        yield _("Half of the answers came within %(half)s of the asking, and nine in ten within %(ninety)s.") % {
            "half": written_offset(whole.half),
            "ninety": written_offset(whole.ninety),
        }
    yield ngettext(
        "%(done)s of %(num)s expected action was done, %(missed)s was not, %(unknown)s is not judged.",
        "%(done)s of %(num)s expected actions were done, %(missed)s were not, %(unknown)s are not judged.",
        report.put_in,
    ) % {
        "done": number(report.count(Verdict.DONE), locale),
        "num": number(report.put_in, locale),
        "missed": number(report.count(Verdict.NOT_DONE), locale),
        "unknown": number(report.count(Verdict.UNKNOWN), locale),
    }


def _groups(report: AfterActionReport, locale: Locale) -> Iterable[Group]:
    _ = texts(locale)
    if report.simulated.asked:
        sides = (
            Row(_("Real participants"), cells(report.real)),
            Row(_("Simulated associations"), cells(report.simulated)),
        )
        yield Group(_("Real and simulated"), sides, "")
    for dimension, (title, note) in DIMENSIONS.items():
        rows = [
            Row(part_name(part, dimension, report.network_names, locale), cells(part.measures))
            for part in report.parts[dimension]
        ]
        yield Group(_(title), tuple(rows), _(note))


def _objectives(report: AfterActionReport, locale: Locale) -> Iterable[ObjectiveTold]:
    _ = texts(locale)
    for objective in report.exercise.scenario.objectives:
        under = [action for action in report.actions if action.objective == objective.key]
        expected = [action for action in under if action.verdict is not Verdict.NOT_PUT_IN]
        done = _("%(done)s of %(count)s done") % {
            "done": sum(action.verdict is Verdict.DONE for action in expected),
            "count": len(expected),
        }
        yield ObjectiveTold(objective.text.of(locale), done, tuple(_action(action, locale) for action in under))


def _action(action: Action, locale: Locale) -> ActionTold:
    _ = texts(locale)
    return ActionTold(
        number=action.number,
        expected=action.expected.of(locale),
        put_in=action.put_in,
        verdict=action.verdict,
        judgement=_(VERDICT_NAMES[action.verdict]),
        source=_source(action, _),
        note=action.note,
    )


def _source(action: Action, _: Gettext) -> str:
    """Who says so, and what the log shows, whatever the verdict."""
    shown = ""
    if action.done_at is not None and action.done_by is not None:
        told = {"what": _(DONE_BY_NAMES[action.done_by]), "at": written_offset(action.done_at)}
        shown = (
            _("Too late in the log: %(what)s at %(at)s.") if action.late else _("In the log: %(what)s at %(at)s.")
        ) % told
    elif action.done_by is not None and action.judge is Judge.LOG:
        shown = _("Not in the log: %(what)s.") % {"what": _(DONE_BY_NAMES[action.done_by])}
    by_leader = _("Judged by who led.") if action.judge is Judge.LEADER else ""
    return " ".join(part for part in (by_leader, shown) if part)


def _observation(observation: Observation, report: AfterActionReport, locale: Locale) -> ObservationTold:
    titles = {one.key: one.text.of(locale) for one in report.exercise.scenario.objectives}
    return ObservationTold(
        observation=observation,
        sort=texts(locale)(SORT_NAMES[observation.sort]),
        objective=titles.get(observation.objective, ""),
        until=until(observation, locale, today=report.compiled_at.astimezone(HELSINKI).date()),
    )


def until(observation: Observation, locale: Locale, *, today: date) -> str:
    """By when a corrective action is to be done, or when it was."""
    _ = texts(locale)
    if observation.closed_at is not None:
        return _("Done %(day)s") % {"day": written_day(observation.closed_at.astimezone(HELSINKI).date(), locale)}
    if observation.due is None:
        return ""
    day = {"day": written_day(observation.due, locale)}
    return _("Late: due %(day)s") % day if observation.late(today) else _("Due %(day)s") % day


def _course(course: tuple[Moment, ...], locale: Locale) -> Iterable[tuple[timedelta, str]]:
    _ = texts(locale)
    for one in course[:COURSE_SHOWN]:
        if one.what is Happening.BROADCAST_FINISHED:
            letters = {"sent": number(one.sent, locale), "failed": number(one.failed, locale)}
            yield one.at, _("A broadcast of guidance was finished: %(sent)s sent, %(failed)s not sent.") % letters
        else:
            yield one.at, _(HAPPENINGS[one.what])


def _method(report: AfterActionReport, locale: Locale) -> Iterable[str]:
    _, ngettext = texts(locale), catalogue(locale).ngettext
    yield _(
        "All times are hours and minutes of the exercise's clock, which can go faster than time and stands in pauses."
    )
    if (speed := report.exercise.clock.speed) > 1:
        yield _(
            "At %(speed)s times the speed of time, a second of the system's own work is %(speed)s seconds of it."
        ) % {"speed": number(speed, locale)}
    yield _(
        "Every share is of those asked, each of whom counts once: by the first answer, timed from the first asking."
        " Half and nine in ten are of the answers that came."
    )
    yield _(
        "Whoever both answered and declined has answered; a letter that did not arrive counts only where neither came."
        " All others are silent."
    )
    if report.simulated.asked:
        yield _(
            "Real participants are associations with a contact on the roster. All others were simulated: nothing was"
            " sent to them, and their answers follow the scenario. They show how the whole copes, and nothing of those"
            " associations."
        )
    if report.whole.unasked:
        yield ngettext(
            "%(num)s association answered without having been asked; it is in no figure.",
            "%(num)s associations answered without having been asked; they are in no figure.",
            report.whole.unasked,
        ) % {"num": number(report.whole.unasked, locale)}
    yield _(
        "Municipality, sector and networks are those of the register at the moment of the figures. An association with"
        " several networks is counted in each of them."
    )
    yield _(
        "An action that the log shows is done by the first such event after its inject was put in. Those who lead can"
        " judge otherwise, and judge all that no log can show."
    )
