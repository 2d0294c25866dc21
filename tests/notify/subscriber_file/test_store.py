"""Lists of members and professionals: the basis is kept, nobody comes back by one, and again changes nothing."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from services.notify.erasure.model import SETTLED_AFTER
from services.notify.erasure.store import Erasure
from services.notify.subscriber_file.export_file import HEADING, csv_of
from services.notify.subscriber_file.schema import Upload, UploadPart
from services.notify.subscriber_file.store import SubscriberFileStore
from services.notify.subscribers.model import Audience, Basis, Consent, State, Wishes
from services.notify.subscribers.store import Subscriber, SubscriberStore
from shared.i18n import Locale
from shared.list_report import ImportReport, UnfitFileError, UploadState
from shared.settings import Settings
from shared.uploads import LEASE
from tests.fakes import FakeClock
from tests.notify.conftest import row_of
from tests.notify.erasure.test_store import files_that_hold

STATED = "contacts of the member associations, annual meeting 2026"
ABOUT = {"audience": "members", "basis": STATED}
FORSSA = "061"
RESIDENT = Wishes(frozenset({Audience.RESIDENTS}), frozenset({FORSSA}), Locale.FI)
LIST = """Sähköposti;Nimi;Kohderyhmä;Kunnat;Kieli
Aino@example.org;Aino;;Forssa, Hattula;
bertta@example.org;;professionals, members;Tavastehus;ruotsi
cecilia@example.org;;;;
"""


@pytest.fixture
def lists(app: FastAPI) -> SubscriberFileStore:
    store: SubscriberFileStore = app.state.subscriber_files
    return store


async def imported(lists: SubscriberFileStore, text: str | bytes) -> ImportReport:
    """The report of an import that goes through."""
    name = await looked_over(lists, text)
    assert await lists.uploads.start(name, person_id=None)
    return await read(lists, name)


async def looked_over(lists: SubscriberFileStore, text: str | bytes) -> str:
    body = io.BytesIO(text.encode() if isinstance(text, str) else text)
    name = await lists.receive(body, file_name="lista.csv", person_id=None, about=ABOUT)
    await read(lists, name)
    return name


async def read(lists: SubscriberFileStore, name: str) -> ImportReport:
    while await lists.work():
        continue
    kept = await lists.uploads.get(name, person_id=None)
    assert kept is not None
    assert kept.refusal == ""
    return kept.report


async def count(app: FastAPI, table: Any) -> int:
    async with app.state.house.database.read() as session:
        return int((await session.execute(select(func.count()).select_from(table))).scalar_one())


async def exported(lists: SubscriberFileStore) -> list[dict[str, str]]:
    text = b"".join([piece async for piece in csv_of(lists.export(by=None))]).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


async def test_the_people_of_a_list_are_subscribers_with_the_stated_basis(
    app: FastAPI, lists: SubscriberFileStore, subscribers: SubscriberStore
) -> None:
    report = await imported(lists, LIST)

    assert (report.rows, report.new, report.bad) == (3, 3, 0)
    aino, bertta = await row_of(app, "aino@example.org"), await row_of(app, "bertta@example.org")
    assert (aino.state, aino.basis, aino.stated_basis) == (State.CONFIRMED, Basis.OPERATIONAL, STATED)
    assert (aino.name, aino.email) == ("Aino", "Aino@example.org")
    follows = {row.email: await subscribers.get(row.id) for row in (aino, bertta)}
    assert follows["Aino@example.org"].wishes == Wishes(  # type: ignore[union-attr]
        frozenset({Audience.MEMBERS}), frozenset({FORSSA, "082"}), Locale.FI
    )
    assert follows["bertta@example.org"].wishes == Wishes(  # type: ignore[union-attr]
        frozenset({Audience.MEMBERS, Audience.PROFESSIONALS}), frozenset({"109"}), Locale.SV
    )


async def test_looking_over_a_list_changes_nothing(app: FastAPI, lists: SubscriberFileStore) -> None:
    await looked_over(lists, LIST)

    assert await count(app, Subscriber) == 0


async def test_the_same_list_again_changes_nothing(lists: SubscriberFileStore) -> None:
    await imported(lists, LIST)
    before = await exported(lists)

    again = await imported(lists, LIST)

    assert (again.new, again.changed, again.same) == (0, 0, 3)
    assert await exported(lists) == before


async def test_who_left_or_was_erased_is_not_brought_back_and_who_confirmed_keeps_her_choices(
    app: FastAPI, lists: SubscriberFileStore, subscribers: SubscriberStore
) -> None:
    erasure: Erasure = app.state.erasure
    for name in ("aino", "bertta", "cecilia", "doris"):
        await subscribers.ask(f"{name}@example.org", RESIDENT, consent=Consent("2026-1", "ab" * 32))
        if name != "doris":
            await subscribers.confirm((await row_of(app, f"{name}@example.org")).id)
    await subscribers.leave((await row_of(app, "aino@example.org")).id)
    await erasure.erase("bertta@example.org", by=None)
    doris = await row_of(app, "doris@example.org")

    report = await imported(lists, f"{LIST}doris@example.org;;;;\n")

    assert (report.new, report.changed, report.same, report.barred) == (0, 1, 1, 2)
    assert (await row_of(app, "aino@example.org")).state == State.LEFT
    cecilia = await row_of(app, "cecilia@example.org")
    assert (cecilia.basis, cecilia.stated_basis) == (Basis.CONSENT, "")
    assert (await subscribers.get(cecilia.id)).wishes == RESIDENT  # type: ignore[union-attr]
    confirmed = await row_of(app, "doris@example.org")
    assert (confirmed.id, confirmed.state, confirmed.stated_basis) == (doris.id, State.CONFIRMED, STATED)
    assert await count(app, Subscriber) == 3


async def test_an_import_that_was_stopped_goes_on_and_brings_nobody_twice(
    app: FastAPI, lists: SubscriberFileStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"person-{number}@example.org;;;;\n" for number in range(1201))
    name = await looked_over(lists, f"Sähköposti;Nimi;Kohderyhmä;Kunnat;Kieli\n{rows}")
    await lists.uploads.start(name, person_id=None)
    dead = await lists.uploads.claim()
    assert dead is not None
    take, batches = lists._take, 0

    async def dying(*arguments: Any) -> ImportReport:
        nonlocal batches
        batches += 1
        if batches == 3:
            raise ConnectionError("the process ends")
        return await take(*arguments)

    clock.move(seconds=LEASE.total_seconds() + 1)
    monkeypatch.setattr(lists, "_take", dying)
    with pytest.raises(ConnectionError):
        await lists.work()
    half = await count(app, Subscriber)
    monkeypatch.undo()

    report = await read(lists, name)

    assert half == 1000
    assert (report.rows, report.new, await count(app, Subscriber)) == (1201, 1201, 1201)
    assert await count(app, UploadPart) == 0


async def test_a_list_that_is_being_read_while_somebody_is_erased_is_forgotten(
    app: FastAPI, lists: SubscriberFileStore
) -> None:
    erasure: Erasure = app.state.erasure
    name = await looked_over(lists, LIST)

    erased = await erasure.erase("aino@example.org", by=None)

    assert erased.files == 1
    assert await lists.uploads.get(name, person_id=None) is None
    assert await count(app, Upload) == await count(app, UploadPart) == 0


async def test_a_list_that_names_an_erased_person_leaves_nothing_of_her_behind(
    app: FastAPI, lists: SubscriberFileStore, clock: FakeClock, settings: Settings
) -> None:
    erasure: Erasure = app.state.erasure
    await erasure.erase("aino.gone@example.org", by=None)
    await erasure.scrub(ahead=SETTLED_AFTER)
    await looked_over(lists, f"{LIST}aino.gone@example.org;;;;\n")
    named, to_do = files_that_hold(settings.var, "aino.gone"), await erasure.unscrubbed()

    clock.move(hours=26)
    await lists.uploads.forget()
    await erasure.scrub()

    assert (named != [], to_do) == (True, 1)
    assert files_that_hold(settings.var, "aino.gone") == []
    assert await erasure.unscrubbed() == 0


async def test_without_a_column_of_addresses_the_columns_are_asked_for(lists: SubscriberFileStore) -> None:
    name = await lists.receive(
        io.BytesIO(b"Osoite;Nimi\naino@example.org;Aino\n"), file_name="l.csv", person_id=None, about=ABOUT
    )

    kept = await lists.uploads.get(name, person_id=None)

    assert kept is not None
    assert kept.state is UploadState.COLUMNS


async def test_no_bytes_raise_anything_else_than_a_sentence(lists: SubscriberFileStore) -> None:
    with pytest.raises(UnfitFileError):
        await lists.receive(io.BytesIO(b""), file_name="", person_id=None, about=ABOUT)
    report = await imported(lists, 'Sähköposti\naino@häme.example\n"broken\n'.encode("cp1252"))

    assert (report.new, report.bad) == (1, 1)


async def test_an_export_tells_the_record_of_consent_and_can_be_imported(
    lists: SubscriberFileStore, subscribers: SubscriberStore
) -> None:
    await imported(lists, LIST.replace("Aino;;", '"=HYPERLINK(""http://x"")";;'))
    await subscribers.ask("doris@example.org", RESIDENT, consent=Consent("2026-1", "ab" * 32))

    rows = await exported(lists)
    again = await imported(lists, await _file(csv_of(lists.export(by=None))))

    assert tuple(rows[0]) == HEADING
    by_address = {row["Sähköposti"]: row for row in rows}
    aino, doris = by_address["Aino@example.org"], by_address["doris@example.org"]
    assert aino["Nimi"] == '\'=HYPERLINK("http://x")'
    assert (aino["Peruste"], aino["Perusteen selite"]) == (Basis.OPERATIONAL, STATED)
    assert (doris["Tila"], doris["Suostumuksen versio"], doris["Suostumustekstin SHA-256"]) == (
        State.PENDING,
        "2026-1",
        "ab" * 32,
    )
    assert (again.same, again.bad) == (3, 1)


async def _file(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])
