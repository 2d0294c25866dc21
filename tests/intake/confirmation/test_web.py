"""Contacts are asked whether their details are right, and say so by one button. Opening the link changes nothing."""

import pytest

from services.intake.audit.model import Act
from services.intake.confirmation.handlers import ConfirmationHandlers
from services.intake.confirmation.jobs import ConfirmationJobs
from services.intake.confirmation.store import BATCH, Campaign
from services.intake.registry.model import ContactState, ProposalKind
from services.intake.registry.store import Contact
from shared.events.notify import LetterFailed, LetterReturned
from shared.identity import Role
from shared.realm import LIVE
from tests.intake.desk import EVERYWHERE, deeds, record_of
from tests.intake.house import ADDRESS, AINO, BERTTA, CECILIA, Intake


async def asked(intake: Intake) -> str:
    """An administrator has everybody asked; the path of the first link."""
    await intake.sign_in(Role.ADMINISTRATOR)
    await intake.browser.post("/registry/confirmation")
    await run(intake)
    return (await intake.link()).removeprefix(ADDRESS)


async def run(intake: Intake) -> None:
    """The jobs do all that there is to do."""
    jobs = ConfirmationJobs(intake.app.state.confirmation)
    await jobs.begin()
    while await jobs.ask():
        assert await intake.count(Campaign)


async def first(intake: Intake) -> Contact:
    return (await record_of(intake, (await intake.ids())[0])).contacts[0]


async def test_an_administrator_has_all_who_are_due_asked_once(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA, CECILIA)
    await asked(intake)
    await run(intake)
    again = await intake.browser.post("/registry/confirmation")
    await run(intake)

    letters = await intake.said("bulk")
    page = await intake.browser.get("/registry/confirmation?lang=en")

    assert again.status_code == 303
    assert [(one["kind"], one["address"], one["locale"]) for one in letters] == [
        ("details", "aino@example.org", "fi"),
        ("details", "bertta@example.org", "sv"),
    ]
    assert all(one["personal"]["link"].startswith(f"{ADDRESS}/d/") for one in letters)
    assert "Nobody is due" in page.text
    assert Act.CONFIRMATION_ASKED in {deed.act for deed in await deeds(intake)}


async def test_opening_the_link_changes_nothing_and_the_button_confirms(intake: Intake) -> None:
    await intake.take_in(AINO)
    path = await asked(intake)

    opened = [await intake.browser.request(method, path) for method in ("GET", "HEAD", "GET")]
    before = await first(intake)
    sent = await intake.browser.post(path, data={"do": "right"})
    after = await first(intake)
    shown = await intake.browser.get(path)

    assert [answer.status_code for answer in opened] == [200, 200, 200]
    assert "aino@example.org" in opened[0].text
    assert (before.state, before.confirmed_at) == (ContactState.UNCONFIRMED.value, None)
    assert (sent.status_code, sent.headers["location"]) == (303, path)
    assert (after.state, after.confirmed_at) == (ContactState.CONFIRMED.value, intake.clock.now())
    assert "Kiitos, tietonne on vahvistettu." in shown.text
    assert (await record_of(intake, after.association_id)).association.version == 1


async def test_a_contact_corrects_everything_but_the_address(intake: Intake) -> None:
    await intake.take_in(AINO)
    path = await asked(intake)
    written = {"name": "Aino Kuura-Salmi", "phone": "040 9", "best_time": "iltaisin", "language": "sv"}

    await intake.browser.post(path, data={**written, "email": "thief@example.org", "do": "correct"})

    contact = await first(intake)
    assert (contact.name, contact.phone, contact.best_time, contact.language) == tuple(written.values())
    assert (contact.email, contact.state) == ("aino@example.org", ContactState.CONFIRMED.value)
    assert (await record_of(intake, contact.association_id)).association.version == 2


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"do": "address", "address": "nobody"}, "address"),
        ({"do": "correct", "name": "a" * 101, "language": "fi"}, "name"),
        ({"do": "correct", "name": "Aino", "language": "de"}, "language"),
        ({}, "right"),
    ],
)
async def test_what_cannot_be_taken_comes_back(intake: Intake, sent: dict[str, str], field: str) -> None:
    await intake.take_in(AINO)
    path = await asked(intake)

    answer = await intake.browser.post(path, data=sent)

    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert (await first(intake)).state == ContactState.UNCONFIRMED.value


async def test_leaving_and_another_address_are_for_the_clerk_to_decide(intake: Intake) -> None:
    await intake.take_in(AINO)
    path = await asked(intake)

    for _ in range(2):
        await intake.browser.post(path, data={"do": "address", "address": "uusi@example.org"})
        await intake.browser.post(path, data={"do": "leave"})

    waiting, count = await intake.app.state.registry.proposals(staff=EVERYWHERE)
    assert count == 2
    assert [(one.proposal.kind, one.proposal.address) for one in waiting] == [
        (ProposalKind.ADDRESS.value, "uusi@example.org"),
        (ProposalKind.LEAVES.value, None),
    ]
    assert (await first(intake)).email == "aino@example.org"


async def test_unknown_and_old_links_answer_alike(intake: Intake) -> None:
    await intake.take_in(AINO)
    path = await asked(intake)
    intake.clock.move(days=61)

    old, unknown = await intake.browser.get(path), await intake.browser.post(f"/d/{'x' * 43}", data={"do": "right"})

    assert (old.status_code, unknown.status_code) == (404, 404)
    assert old.text.replace(path, "") == unknown.text.replace(f"/d/{'x' * 43}", "")
    assert (await intake.browser.post(path, data={"do": "right"})).status_code == 404


async def test_it_waits_while_a_round_is_open(intake: Intake) -> None:
    await intake.take_in(AINO)
    await intake.open_round(await intake.ids(), hours=3)
    await intake.forget_said()
    await intake.sign_in(Role.ADMINISTRATOR)
    await intake.browser.post("/registry/confirmation")

    await run(intake)
    during = await intake.said("bulk")
    page = await intake.browser.get("/registry/confirmation?lang=en")
    intake.clock.move(hours=4)
    await run(intake)

    assert during == []
    assert "A round is open" in page.text
    assert len(await intake.said("bulk")) == 1


async def test_it_begins_by_itself_in_the_next_half_year_and_asks_in_batches(intake: Intake) -> None:
    many = BATCH + 5
    await intake.take_in(*(f"S {n};{n};Loppi;Muut;A;a{n}@example.org;;" for n in range(many)))
    await run(intake)
    at_once = await intake.said("bulk")
    intake.clock.move(days=44, hours=-8)  # Monday, the fourth of January, at noon
    await run(intake)
    asked_in_january = len(await intake.said("bulk"))
    intake.clock.move(days=30)
    await run(intake)
    intake.clock.move(days=153)
    await run(intake)

    assert at_once == []
    assert asked_in_january == many
    assert len(await intake.said("bulk")) == 2 * many


async def test_a_letter_that_did_not_arrive_shows_at_the_contact(intake: Intake) -> None:
    await intake.take_in(AINO)
    await asked(intake)
    [letter] = await intake.said("bulk")
    failed = {name: letter[name] for name in ("letter_id", "recipient_id", "kind")}
    event = LetterFailed(happened_at=intake.clock.now(), realm=LIVE, reason="550 at rcpt", **failed)

    await ConfirmationHandlers(intake.app.state.confirmation).on_letter_failed(event)

    assert (await first(intake)).state == ContactState.FAILED.value


@pytest.mark.parametrize(("confirmed", "state"), [(False, ContactState.FAILED), (True, ContactState.CONFIRMED)])
async def test_a_letter_that_came_back_shows_at_the_contact_who_has_not_confirmed_since(
    intake: Intake, confirmed: bool, state: ContactState
) -> None:
    await intake.take_in(AINO)
    await asked(intake)
    [letter] = await intake.said("bulk")
    returned = {name: letter[name] for name in ("letter_id", "recipient_id", "kind")}
    intake.clock.move(days=2)
    if confirmed:
        await intake.app.state.confirmation.confirm(letter["personal"]["link"].rpartition("/")[2])
    event = LetterReturned(happened_at=intake.clock.now(), realm=LIVE, reason="returned: hard 5.1.1", **returned)

    await ConfirmationHandlers(intake.app.state.confirmation).on_letter_returned(event)

    assert (await first(intake)).state == state.value


@pytest.mark.parametrize("role", [Role.CLERK, Role.LIAISON])
async def test_only_administrators_have_it_asked(intake: Intake, role: Role) -> None:
    await intake.sign_in(role)

    assert (await intake.browser.get("/registry/confirmation")).status_code == 403
    assert (await intake.browser.post("/registry/confirmation")).status_code == 403
