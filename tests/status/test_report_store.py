"""The report store: numbers without gaps, figures of one moment, and the same bytes for ever."""

import asyncio
import re
from collections import Counter
from io import BytesIO
from zipfile import ZipFile

import pytest

from services.status.readiness.model import Dimension, Tallies, difference
from services.status.readiness.standing_rows import counted
from services.status.report.model import Form, Report
from services.status.report.press import Press
from services.status.report.store import ReportStore
from services.status.situation.model import Situation
from shared.events.intake import OperatingStatus
from shared.i18n import Locale
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.status.conftest import Stores
from tests.status.people import TAMMELA, association, checkin, round_of, storm
from tests.status.reports import EXERCISE, note, press

LIMITED = OperatingStatus.LIMITED


class CountingPress:
    """A press that remembers what it made."""

    def __init__(self, real: Press) -> None:
        self._real = real
        self.made: Counter[tuple[Form, Locale]] = Counter()

    def __call__(self, report: Report, form: Form, locale: Locale) -> bytes:
        self.made[form, locale] += 1
        return self._real(report, form, locale)


@pytest.fixture
def counting(settings: Settings) -> CountingPress:
    return CountingPress(press(settings))


@pytest.fixture
def reports(stores: Stores, clock: FakeClock, counting: CountingPress) -> ReportStore:
    return ReportStore(stores.database, clock=clock, render=counting)


async def test_reports_are_numbered_from_one_in_each_situation(stores: Stores, reports: ReportStore) -> None:
    storms = [storm(), storm(), storm(realm=EXERCISE)]
    for opened in storms:
        await stores.situations.open(opened)

    numbers = [(await reports.freeze(opened.situation, note())).number for opened in (*storms, storms[0], storms[2])]

    assert numbers == [1, 1, 1, 2, 2]
    assert [one.number for one in await reports.list_all(storms[0].situation)] == [2, 1]


async def test_reports_made_at_once_get_different_numbers_and_one_made_twice_is_one(
    stores: Stores, reports: ReportStore
) -> None:
    opened = storm()
    await stores.situations.open(opened)
    once = note("Kerran.")

    made = await asyncio.gather(*(reports.freeze(opened.situation, note()) for _ in range(6)))
    again = await asyncio.gather(*(reports.freeze(opened.situation, once) for _ in range(3)))

    assert sorted(report.number for report in made) == [1, 2, 3, 4, 5, 6]
    assert {report.number for report in again} == {7}


async def test_its_figures_are_those_of_a_recount_at_its_moment(
    stores: Stores, reports: ReportStore, clock: FakeClock
) -> None:
    for name in ("Aino", "Bertta", "Cecilia"):
        await stores.readiness.know(association(name, networks=("silta",), capabilities=("transport",)))
    opened = storm()
    await stores.situations.open(opened)
    round_ = round_of(opened.situation)
    await stores.rounds.open(opened.situation, round_)
    await stores.readiness.hear(checkin("Aino", round_, LIMITED, after=1))
    clock.move(minutes=5)

    report = await reports.freeze(opened.situation, note())
    await stores.readiness.hear(checkin("Bertta", round_, after=6))
    kept = await reports.get(opened.situation, 1)

    assert report.figures_at == clock.now()
    assert report.newest_answer_at == checkin("Aino", round_, after=1).reported_at
    assert report.rounds == 1
    assert kept == report
    assert report.whole.coverage.answered == 1
    assert await recounted(stores, opened.situation) != report.tallies
    assert (await reports.freeze(opened.situation, note())).tallies == await recounted(stores, opened.situation)


async def recounted(stores: Stores, situation: Situation) -> Tallies:
    """What a report holds of a recount: capabilities by area serve calls for attention, and no report."""
    async with stores.database.read() as session:
        found = await session.run_sync(lambda sync: counted(sync.connection(), (situation.realm, situation.id)))
    return Tallies({key: count for key, count in found.items() if key.dimension is not Dimension.CAPABILITY_AREA})


async def test_a_later_report_knows_what_changed_since_the_one_before(stores: Stores, reports: ReportStore) -> None:
    round_ = await stores.ask("Aino", "Bertta")
    situation = await stores.situation_of(round_)

    first = await reports.freeze(situation, note())
    second = await reports.freeze(situation, note())
    await stores.readiness.hear(checkin("Aino", round_, LIMITED))
    third = await reports.freeze(situation, note())

    assert first.changes is None
    assert second.changes is not None
    assert second.changes.unchanged
    assert third.changes is not None
    assert third.changes.since == 2
    assert third.changes.tallies == difference(third.tallies, second.tallies)
    assert not third.changes.unchanged


async def test_its_pages_are_made_when_it_is_frozen_and_files_when_first_asked_for(
    stores: Stores, reports: ReportStore, counting: CountingPress, clock: FakeClock
) -> None:
    round_ = await stores.ask("Aino", "Bertta")
    situation = await stores.situation_of(round_)
    report = await reports.freeze(situation, note("Sähköt ovat poikki."))
    frozen = Counter(counting.made)

    first = {
        (form, locale): await reports.form(report, form, locale)
        for form in (Form.HTML, Form.CSV, Form.XLSX)
        for locale in Locale
    }
    await stores.readiness.hear(checkin("Aino", round_, LIMITED))
    clock.move(days=7)
    again = {key: await reports.form(report, *key) for key in first}

    assert frozen == Counter({(Form.HTML, locale): 1 for locale in Locale})
    assert set(counting.made.values()) == {1}
    assert again == first
    assert len(set(first.values())) == len(first)


async def test_of_two_who_ask_first_both_get_the_same_bytes(stores: Stores, reports: ReportStore) -> None:
    round_ = await stores.ask("Aino")
    report = await reports.freeze(await stores.situation_of(round_), note())

    files = await asyncio.gather(*(reports.form(report, Form.XLSX, Locale.FI) for _ in range(4)))

    assert len(set(files)) == 1


async def test_a_table_takes_no_text_for_a_formula_and_says_that_it_is_an_exercise_first(
    stores: Stores, reports: ReportStore
) -> None:
    await stores.readiness.know(association("Aino", TAMMELA, networks=("=cmd|calc",)))
    opened = storm(realm=EXERCISE)
    await stores.situations.open(opened)
    await stores.rounds.open(opened.situation, round_of(opened.situation))

    report = await reports.freeze(opened.situation, note("=1+1\n@home\n-5 astetta"))
    table = (await reports.form(report, Form.CSV, Locale.SV)).decode("utf-8-sig")
    book = await reports.form(report, Form.XLSX, Locale.FI)

    assert table.startswith("ÖVNING – detta är inte en verklig situation\r\n")
    for text in ("'=1+1", "'@home", "'-5 astetta", "'=cmd|calc"):
        assert f";{text}" in table
    for sheet in (1, 2):
        assert first_text(book, sheet) == "HARJOITUS – tämä ei ole todellinen tilanne"
        assert "<f>" not in part(book, f"xl/worksheets/sheet{sheet}.xml")
    assert "<t>=1+1</t>" in part(book, "xl/sharedStrings.xml")
    assert "<t>=cmd|calc</t>" in part(book, "xl/sharedStrings.xml")


def part(book: bytes, name: str) -> str:
    """One part of a workbook."""
    with ZipFile(BytesIO(book)) as whole:
        return whole.read(name).decode()


def first_text(book: bytes, sheet: int) -> str:
    """What stands in the first cell of a sheet."""
    strings: list[str] = re.findall(r"<t[^>]*>([^<]*)</t>", part(book, "xl/sharedStrings.xml"))
    found = re.search(r'<c r="A1"[^>]* t="s"><v>(\d+)</v>', part(book, f"xl/worksheets/sheet{sheet}.xml"))
    assert found
    return strings[int(found[1])]
