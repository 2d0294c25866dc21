"""What the staff does with guidance, subscribers and channels is written down in the same transaction, for good."""

import csv
from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.notify.audit.model import DETAILS, SENTENCES, Act
from services.notify.delivery.model import Lane
from services.notify.guidance.model import Approval, Kind, Plan, Refusal, Revision, Text
from services.notify.guidance.store import GuidanceStore
from services.notify.standing.model import Advice, Form
from services.notify.subscribers.store import SubscriberStore
from services.notify.webhook.model import Wanted
from shared.audit import Deed
from shared.i18n import Locale
from shared.identity import Role
from shared.ids import new_id
from shared.realm import LIVE
from tests.fakes import FakeClock
from tests.notify.conftest import signed_in, staff
from tests.notify.guidance.drafts import FINNISH, draft, present, published, resident, submitted
from tests.notify.subscriber_file.test_store import LIST, looked_over, read

AINO, BERTTA = new_id(), new_id()
"""Aino writes, Bertta approves."""


@pytest.fixture
def administrator(app: FastAPI, clock: FakeClock) -> AsyncClient:
    return signed_in(app, staff(clock, Role.ADMINISTRATOR))


async def deeds(app: FastAPI) -> list[Deed]:
    """All that was written down, oldest first; the chain must be whole."""
    assert await app.state.audit.first_break() is None
    return [link.deed for link in reversed(await app.state.audit.page())]


async def acts(app: FastAPI) -> list[tuple[str, UUID | None]]:
    return [(deed.act, deed.actor) for deed in await deeds(app)]


def test_every_act_is_told_in_words() -> None:
    assert SENTENCES.keys() == set(Act)


async def test_a_release_and_its_withdrawal_are_written_down_with_both_people(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    guidance_id = await guidance.write(draft(), by=AINO)
    await guidance.submit(await present(guidance, guidance_id), by=AINO)
    await guidance.approve(LIVE, guidance_id, by=BERTTA, word="TOSI", edition=1)
    await guidance.discard(await withdrawn(guidance, guidance_id), by=AINO)
    waiting = await withdrawn(guidance, guidance_id)
    await guidance.approve(LIVE, guidance_id, by=BERTTA, word="TOSI", edition=waiting.edition)

    assert await acts(app) == [
        (Act.GUIDANCE_SUBMITTED, AINO),
        (Act.GUIDANCE_RELEASED, BERTTA),
        (Act.CORRECTION_SUBMITTED, AINO),
        (Act.CORRECTION_DISCARDED, AINO),
        (Act.CORRECTION_SUBMITTED, AINO),
        (Act.GUIDANCE_WITHDRAWN, BERTTA),
    ]
    assert {deed.subject for deed in await deeds(app)} == {str(guidance_id)}


async def withdrawn(guidance: GuidanceStore, guidance_id: UUID) -> Revision:
    """The withdrawal for which Aino asks."""
    released = await present(guidance, guidance_id)
    why = released.corrected(Kind.CANCEL, draft({Locale.FI: Text("", "", "Sähköt palasivat")}))
    assert await guidance.correct(released, Kind.CANCEL, why, by=AINO, edition=released.edition)
    waiting = await guidance.unreleased(LIVE, guidance_id)
    assert waiting is not None
    return waiting


async def test_what_one_person_released_alone_is_told_with_her_reason(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, administrator: AsyncClient
) -> None:
    await resident(subscribers)
    revision = await submitted(guidance, draft(), by=AINO)
    refused = await guidance.approve(LIVE, revision.guidance_id, by=AINO, word="TOSI", edition=1)
    before = await acts(app)
    reason = "Nobody else can be reached."
    await guidance.approve(
        LIVE, revision.guidance_id, by=AINO, word="TOSI YKSIN", edition=revision.edition, alone_because=reason
    )

    page = (await administrator.get(f"/notify/audit?lang=en&act={Act.GUIDANCE_RELEASED_ALONE}")).text

    assert isinstance(refused, Refusal)
    assert [act for act, _ in before] == [Act.GUIDANCE_SUBMITTED]
    assert "<td>released guidance alone, in an emergency</td>" in page
    assert f"reason: {reason}" in page
    assert FINNISH[Locale.FI].headline in page
    assert f'<a href="/people/{AINO}">' in page


async def test_a_planned_release_is_written_down_when_planned_taken_back_and_released(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, clock: FakeClock
) -> None:
    await resident(subscribers)
    revision = await submitted(guidance, draft(), by=AINO)
    schedule, soon = app.state.schedule, clock.now() + timedelta(hours=1)
    what = {"release_at": soon, "by": BERTTA, "word": "TOSI", "edition": revision.edition}

    planned = await schedule.plan(LIVE, revision.guidance_id, **what)
    assert await schedule.take_back(LIVE, revision.guidance_id, by=AINO, edition=revision.edition)
    assert not await schedule.take_back(LIVE, revision.guidance_id, by=AINO, edition=revision.edition)
    again = await schedule.plan(LIVE, revision.guidance_id, **what)
    clock.move(hours=1)
    await schedule.release_due()

    assert isinstance(planned, Plan)
    assert isinstance(again, Plan)
    told = [one for one in await acts(app) if one[0] != Act.GUIDANCE_SUBMITTED]
    assert told == [
        (Act.RELEASE_PLANNED, BERTTA),
        (Act.RELEASE_TAKEN_BACK, AINO),
        (Act.RELEASE_PLANNED, BERTTA),
        (Act.GUIDANCE_RELEASED, BERTTA),
    ]


async def test_a_model_and_a_paused_sending_are_written_down(app: FastAPI) -> None:
    standing, ledger = app.state.standing, app.state.ledger

    one = await standing.write(Advice(dict(FINNISH), Form.CHECKLIST), by=AINO)
    [waiting] = await standing.newest(LIVE, one)
    await standing.approve(waiting, by=AINO, edition=waiting.edition)
    await standing.approve(waiting, by=BERTTA, edition=waiting.edition)
    await ledger.resume(Lane.BULK, by=AINO)
    await ledger.pause(Lane.BULK, "11 of the last 200 failed")
    await ledger.resume(Lane.BULK, by=AINO)

    assert await acts(app) == [
        (Act.STANDING_SUBMITTED, AINO),
        (Act.STANDING_APPROVED, BERTTA),
        (Act.SENDING_RESUMED, AINO),
    ]
    assert (await deeds(app))[-1].details == {"reason": "11 of the last 200 failed"}


async def test_lists_and_erasures_are_written_down_without_an_address(app: FastAPI) -> None:
    lists, erasure = app.state.subscriber_files, app.state.erasure
    name = await looked_over(lists, LIST)
    await lists.uploads.start(name, person_id=None)
    await read(lists, name)
    again = await looked_over(lists, LIST)
    await lists.uploads.start(again, person_id=None)
    await read(lists, again)
    _ = [rows async for rows in lists.export(by=BERTTA)]
    await erasure.erase("aino@example.org", by=BERTTA)

    assert [(deed.act, deed.actor, deed.details) for deed in await deeds(app)] == [
        (Act.SUBSCRIBERS_IMPORTED, None, {"new": 3, "changed": 0}),
        (Act.SUBSCRIBERS_EXPORTED, BERTTA, {"rows": 3}),
        (Act.PERSON_ERASED, BERTTA, {"letters": 0}),
    ]
    assert "@" not in str(await deeds(app))


async def test_webhooks_are_written_down_without_their_address(app: FastAPI) -> None:
    endpoints, endpoint_id = app.state.endpoints, new_id()
    wanted = Wanted("Pelastuslaitos", "https://partner.example.org/secret-path")

    await endpoints.add(endpoint_id, wanted, by=AINO)
    await endpoints.add(endpoint_id, wanted, by=AINO)
    await endpoints.change(endpoint_id, wanted, by=AINO)
    await endpoints.change(new_id(), wanted, by=AINO)
    endpoint = await endpoints.get(endpoint_id)
    await endpoints.rotate(endpoint, by=BERTTA)
    await endpoints.rotate(endpoint, by=BERTTA)
    await endpoints.remove(endpoint_id, by=AINO)
    await endpoints.remove(endpoint_id, by=AINO)

    assert await acts(app) == [
        (Act.WEBHOOK_MADE, AINO),
        (Act.WEBHOOK_CHANGED, AINO),
        (Act.SECRET_RENEWED, BERTTA),
        (Act.WEBHOOK_REMOVED, AINO),
    ]
    assert {deed.details["name"] for deed in await deeds(app)} == {"Pelastuslaitos"}
    assert "secret-path" not in str(await deeds(app))


async def test_the_database_refuses_to_change_a_row(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    await published(guidance)

    for statement in ("UPDATE audit SET subject = ''", "DELETE FROM audit", "DELETE FROM audit_head"):
        with pytest.raises(IntegrityError, match="append-only"):
            async with app.state.house.database.write() as session:
                await session.execute(text(statement))


async def test_the_page_leads_to_the_other_audit_and_its_file_has_every_detail_named(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, administrator: AsyncClient
) -> None:
    await resident(subscribers)
    revision = await published(guidance)
    await app.state.audit.check()

    page = (await administrator.get("/notify/audit?lang=en")).text
    answer = await administrator.post("/notify/audit/export?lang=en")
    rows = list(csv.reader(StringIO(answer.text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")), delimiter=";"))

    assert "Rows 1–2 are whole." in page
    assert 'href="/audit">Register, answers and rights</a>' in page
    assert 'href="/notify/audit" aria-current="page">' in page
    assert f"/notify/audit?subject={revision.guidance_id}" in page
    assert [row[3] for row in rows[1:]] == [
        "exported the audit",
        "approved and released guidance",
        "asked for the approval of guidance",
    ]
    assert {name for deed in await deeds(app) for name in deed.details} <= DETAILS.keys()


async def test_nothing_is_written_of_a_release_that_does_not_come_about(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    revision = await submitted(guidance, draft(), by=AINO)

    decided = [
        await guidance.approve(LIVE, revision.guidance_id, by=BERTTA, word=word, edition=revision.edition)
        for word in ("ehkä", "TOSI", "TOSI")
    ]

    assert [isinstance(one, Approval) for one in decided] == [False, True, False]
    assert [act for act, _ in await acts(app)] == [Act.GUIDANCE_SUBMITTED, Act.GUIDANCE_RELEASED]
