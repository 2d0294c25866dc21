"""Format: a report in the words of one language. Every form of it, on the page and in files, says these."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.status.network.model import named
from services.status.picture.model import STATE_NAMES, Line
from services.status.readiness.model import Dimension, Face, State
from services.status.report.model import Changes, Lines, Report, Turn, lines_of, turns
from services.status.situation.model import ALL_CAPABILITIES, ALL_MUNICIPALITIES, KIND_NAMES, known
from shared import region
from shared.i18n import N_, Gettext, Locale, catalogue, moment, number, texts
from shared.web import ROLE_NAMES, SITE

STATES = (
    State.NORMAL,
    State.LIMITED,
    State.SUSPENDED,
    State.STALE,
    State.NOT_ANSWERED,
    State.UNDELIVERABLE,
    State.NOT_ASKED,
)
"""The columns after those of how many were asked and have answered, in every form."""

SHORT = {State.NORMAL: N_("Normal"), State.LIMITED: N_("In part"), State.SUSPENDED: N_("Suspended")}
"""What stands at the head of narrow columns in place of a whole sentence."""
GLANCES = {
    Face.NORMAL: N_("Normal"),
    Face.LIMITED: N_("In part"),
    Face.SUSPENDED: N_("Suspended"),
    Face.UNKNOWN: N_("Not known"),
}


NetworkNames = Mapping[str, Mapping[str, str]]
"""Names of networks by code and language."""


@dataclass(frozen=True)
class Row:
    """The figures of one place, sector, network or capability, in the order of the columns."""

    code: str
    name: str
    face: Face
    glance: str
    counts: tuple[int, ...]
    together: bool = False


@dataclass(frozen=True)
class Group:
    """Rows by one dimension; `note` stands where there are none."""

    title: str
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True)
class ChangesTold:
    """What changed since an earlier report: by how many in each column (None where there is no earlier report)."""

    label: str
    counts: tuple[int, ...] | None
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """A report in one language. `banner` is empty unless it is of an exercise."""

    lang: str
    banner: str
    source: str
    title: str
    facts: tuple[tuple[str, str], ...]
    coverage: str
    summary: tuple[str, ...]
    course: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    whole: Row
    changes: ChangesTold
    groups: tuple[Group, ...]
    method: tuple[str, ...]


def tell(report: Report, locale: Locale) -> Told:
    """The report in a language."""
    _ = texts(locale)
    exercise = not report.realm.live
    title = _("Situation report %(number)s: %(situation)s") % {
        "number": report.number,
        "situation": report.names.of(locale),
    }
    return Told(
        lang=locale.lang,
        banner=_("EXERCISE – this is not a real situation") if exercise else "",
        source=_(SITE),
        title=" ".join((_("EXERCISE:"), title)) if exercise else title,
        facts=tuple(_facts(report, locale)),
        coverage=coverage_told(report.whole, locale),
        summary=tuple(line for line in report.summary.split("\n") if line),
        course=tuple(_course(report, locale)),
        columns=columns(locale),
        whole=_row(report.whole, _("The whole region"), _),
        changes=changes_told(report, locale),
        groups=tuple(groups(report.lines, locale, networks=report.network_names)),
        method=tuple(_method(report, locale)),
    )


def columns(locale: Locale) -> tuple[str, ...]:
    """The headings of the figures."""
    _ = texts(locale)
    return (_("Asked"), _("Answered"), *(_(SHORT.get(state, STATE_NAMES[state])) for state in STATES))


def cells(line: Line) -> tuple[int, ...]:
    """The figures of a line in the order of the columns; of a difference, the differences."""
    coverage = line.coverage
    return (coverage.asked, coverage.answered, *(line.count(state) for state in STATES))


def coverage_told(line: Line, locale: Locale) -> str:
    """How much is known, in one sentence."""
    _ = texts(locale)
    coverage = line.coverage
    return _("%(answered)s of %(asked)s answered, %(stale)s out of date, %(unreached)s not reached") % {
        "answered": number(coverage.answered, locale),
        "asked": number(coverage.asked, locale),
        "stale": number(coverage.stale, locale),
        "unreached": number(coverage.undeliverable, locale),
    }


def groups(lines: Lines, locale: Locale, *, networks: NetworkNames) -> Iterable[Group]:
    """All figures but those of the whole, by place, sector, capability and network."""
    _ = texts(locale)
    yield Group(_("By municipality and sub-region"), tuple(_places(lines, locale)))
    sectors = [_row(_at(lines, Dimension.SECTOR, one.code), one.name(locale), _) for one in region.SECTORS]
    yield Group(_("By sector"), tuple(sectors))
    counted = _keys(lines, Dimension.CAPABILITY)
    in_order = [*known(counted, ALL_CAPABILITIES), *(code for code in counted if code not in ALL_CAPABILITIES)]
    able = [_row(_at(lines, Dimension.CAPABILITY, code), capability_name(code, locale), _) for code in in_order]
    yield Group(
        _("By capability, as in the register"), tuple(able), _("No association has told yet what it can do for others.")
    )
    members = [
        _row(_at(lines, Dimension.NETWORK, code), named(networks.get(code, {}), locale) or code, _)
        for code in _keys(lines, Dimension.NETWORK)
    ]
    yield Group(_("By network"), tuple(members), _("No association belongs to a network yet."))


def changes_told(report: Report, locale: Locale) -> ChangesTold:
    """What changed since the report before; that nothing did is said too."""
    _ = texts(locale)
    if report.changes is None:
        first = _("This is the first report of this situation: there is none to compare it with.")
        return ChangesTold("", None, (first,))
    return difference_told(report.changes, report, locale)


def difference_told(changes: Changes, later: Report, locale: Locale) -> ChangesTold:
    """What changed between an earlier report and a later one."""
    _ = texts(locale)
    whole = cells(changes.of(Dimension.REGION, region.REGION.code))
    since = {"number": changes.since, "time": moment(changes.since_at, locale)}
    label = _("Change since report %(number)s (%(time)s)") % since
    if changes.unchanged:
        return ChangesTold(label, whole, (_("No change in any figure since report %(number)s (%(time)s).") % since,))
    sentences = []
    if not any(whole):
        sentences.append(_("The figures of the whole region are the same; those of some of its parts have changed."))
    turned = "; ".join(_turn(turn, locale) for turn in turns(changes, later.tallies))
    sentences.append(turned or _("Every municipality looks the same at a glance as before."))
    return ChangesTold(label, whole, tuple(sentences))


def differing(changes: Changes, locale: Locale, *, networks: NetworkNames) -> list[Group]:
    """By how much the parts differ, those left out that do not."""
    told = groups(lines_of(changes.deltas), locale, networks=networks)
    rows = [replace(group, rows=tuple(row for row in group.rows if any(row.counts))) for group in told]
    return [group for group in rows if group.rows]


def capability_name(code: str, locale: Locale) -> str:
    """The capability's name, or its code where it is not one of ours."""
    return region.capability(code).name(locale) if code in ALL_CAPABILITIES else code


def area(municipalities: Sequence[str], locale: Locale) -> str:
    """The municipalities by name, or the whole region in one word."""
    if set(municipalities) >= set(ALL_MUNICIPALITIES):
        return texts(locale)(N_("The whole region"))
    return ", ".join(region.municipality(code).name(locale) for code in municipalities)


def _places(lines: Lines, locale: Locale) -> Iterable[Row]:
    _ = texts(locale)
    for sub_region in region.SUB_REGIONS:
        for code in sub_region.municipalities:
            yield _row(_at(lines, Dimension.MUNICIPALITY, code), region.municipality(code).name(locale), _)
        name = _("Together: %(area)s") % {"area": sub_region.name(locale)}
        yield _row(_at(lines, Dimension.SUB_REGION, sub_region.code), name, _, together=True)


def _at(lines: Lines, dimension: Dimension, key: str) -> Line:
    return lines.get((dimension, key), Line(key, {}))


def _keys(lines: Lines, dimension: Dimension) -> list[str]:
    return sorted(key for one, key in lines if one is dimension)


def _turn(turn: Turn, locale: Locale) -> str:
    _ = texts(locale)
    before = _("was: %(state)s") % {"state": _(GLANCES[turn.before])}
    return f"{region.municipality(turn.municipality).name(locale)}: {_(GLANCES[turn.after])} ({before})"


def _row(line: Line, name: str, _: Gettext, *, together: bool = False) -> Row:
    return Row(line.code, name, line.face, _(GLANCES[line.face]), cells(line), together)


def _facts(report: Report, locale: Locale) -> Iterable[tuple[str, str]]:
    _ = texts(locale)

    def at(value: datetime) -> str:
        return moment(value, locale)

    yield _("Kind"), _(KIND_NAMES[report.kind])
    yield _("Area"), area(report.municipalities, locale)
    yield _("Opened"), at(report.opened_at)
    if report.closed_at is not None:
        yield _("Closed"), at(report.closed_at)
    yield _("Moment of the figures"), at(report.figures_at)
    yield _("Compiled by"), ", ".join(_(ROLE_NAMES[role]) for role in report.compiled_as)
    if report.next_at is not None:
        yield _("Next report expected"), at(report.next_at)


def _course(report: Report, locale: Locale) -> Iterable[tuple[str, str]]:
    """When what happened, newest first; how it ended stands before all."""
    if report.closed_at is not None and report.closing.of(locale):
        yield moment(report.closed_at, locale), report.closing.of(locale)
    for event in report.updates:
        yield moment(event.at, locale), event.words.of(locale)


def _method(report: Report, locale: Locale) -> Iterable[str]:
    _, ngettext = texts(locale), catalogue(locale).ngettext
    coverage = report.whole.coverage
    yield _source(report, locale)
    yield _("%(asked)s associations were asked or answered unasked, %(others)s of the registry were not asked.") % {
        "asked": number(coverage.asked, locale),
        "others": number(coverage.not_asked, locale),
    }
    if report.declined:
        yield ngettext(
            "%(num)s of those asked said that it will not answer this time; it is counted as silent.",
            "%(num)s of those asked said that they will not answer this time; they are counted as silent.",
            report.declined,
        ) % {"num": number(report.declined, locale)}
    if report.disputed:
        yield ngettext(
            "The answers of %(num)s association disagree; the newest of them counts until one is pinned.",
            "The answers of %(num)s associations disagree; the newest of each counts until one is pinned.",
            report.disputed,
        ) % {"num": number(report.disputed, locale)}
    yield ngettext(
        "An answer is fresh for %(num)s hour, or for as long as the association itself expected it to hold, if that is"
        " shorter. Then it is out of date and no longer counts as a state.",
        "An answer is fresh for %(num)s hours, or for as long as the association itself expected it to hold, if that is"
        " shorter. Then it is out of date and no longer counts as a state.",
        report.freshness_hours,
    ) % {"num": report.freshness_hours}
    yield _(
        "At a glance a row is not known while fewer than a fifth of those asked have a fresh answer, or while"
        " answers that are out of date could change it; otherwise a state marks it from a quarter of the fresh"
        " answers on. Silence never counts as operating normally."
    )
    yield _("An association with several networks or capabilities is counted in each of them.")


def _source(report: Report, locale: Locale) -> str:
    _, ngettext = texts(locale), catalogue(locale).ngettext
    if not report.rounds:
        return _("Nobody has been asked yet.")
    asked = ngettext(
        "Source: what the associations themselves answered in %(num)s round, by link, email, phone or on paper; of each"
        " the newest answer counts.",
        "Source: what the associations themselves answered in %(num)s rounds, by link, email, phone or on paper; of"
        " each the newest answer counts.",
        report.rounds,
    ) % {"num": report.rounds}
    if report.newest_answer_at is None:
        nobody = _("Nobody has answered yet.")
        return f"{asked} {nobody}"
    newest = _("The newest is of %(time)s.") % {"time": moment(report.newest_answer_at, locale)}
    return f"{asked} {newest}"
