"""Contacts at the desk: added, changed, moved, removed; and what they propose, decided."""

from uuid import UUID

import pytest
from sqlalchemy import insert

from services.intake.audit.model import Act
from services.intake.registry.model import ProposalKind
from services.intake.registry.store import Proposal
from shared.identity import Role
from shared.ids import new_id
from tests.intake.desk import deeds, filled_form, record_of
from tests.intake.house import AINO, Intake


@pytest.fixture
async def martat(intake: Intake) -> UUID:
    """An association with three contacts, and a clerk who is signed in."""
    await intake.take_in(AINO)
    [aino] = await intake.ids()
    await intake.add_contact(aino, 2, "bertta@example.org")
    await intake.add_contact(aino, 3, "cecilia@example.org")
    await intake.sign_in(Role.CLERK)
    return aino


async def emails(intake: Intake, own: UUID) -> list[str | None]:
    return [contact.email for contact in (await record_of(intake, own)).contacts]


async def test_a_contact_is_added_last_and_nobody_is_named_in_the_audit(intake: Intake, martat: UUID) -> None:
    form = filled_form(await intake.browser.get(f"/registry/{martat}/contacts/new"))
    form |= {"name": "Dora Halla", "email": "dora@example.org", "best_time": "iltaisin"}

    saved = await intake.browser.post(f"/registry/{martat}/contacts/new", data=form)

    contact = (await record_of(intake, martat)).contacts[-1]
    assert saved.status_code == 303
    assert (contact.position, contact.name, contact.best_time, contact.state) == (
        4,
        "Dora Halla",
        "iltaisin",
        "unconfirmed",
    )
    deed = (await deeds(intake))[0]
    assert deed.act == Act.CONTACT_ADDED
    assert "Dora" not in str(deed)


async def test_a_new_address_is_not_confirmed(intake: Intake, martat: UUID) -> None:
    bertta = (await record_of(intake, martat)).contacts[1]
    path = f"/registry/{martat}/contacts/{bertta.id}"
    form = filled_form(await intake.browser.get(path), phone="040 2")

    await intake.browser.post(path, data=form)
    same_address = (await record_of(intake, martat)).contacts[1]
    form = filled_form(await intake.browser.get(path), email="b@example.org")
    await intake.browser.post(path, data=form)
    other_address = (await record_of(intake, martat)).contacts[1]

    assert (same_address.phone, same_address.state) == ("040 2", "confirmed")
    assert (other_address.email, other_address.state) == ("b@example.org", "unconfirmed")
    assert (await deeds(intake))[0].details == {"fields": "confirmed_at email state"}


async def test_a_bad_address_comes_back_with_the_form(intake: Intake, martat: UUID) -> None:
    form = {"name": "Dora", "email": "dora at home", "language": "fi", "version": "1"}

    answer = await intake.browser.post(f"/registry/{martat}/contacts/new", data=form)

    assert answer.status_code == 422
    assert 'href="#f-email"' in answer.text
    assert 'value="dora at home"' in answer.text


async def test_of_two_who_edit_a_contact_the_second_is_shown_both(intake: Intake, martat: UUID) -> None:
    aino = (await record_of(intake, martat)).contacts[0]
    path = f"/registry/{martat}/contacts/{aino.id}"
    opened = await intake.browser.get(path)
    await intake.browser.post(path, data=filled_form(opened, phone="040 7"))

    refused = await intake.browser.post(f"{path}?lang=en", data=filled_form(opened, name="Aino K."))
    again = await intake.browser.post(path, data=filled_form(refused))

    assert refused.status_code == 409
    assert "040 7" in refused.text
    assert 'value="Aino K."' in refused.text
    assert again.status_code == 303


async def test_contacts_move_and_leave_without_a_gap(intake: Intake, martat: UUID) -> None:
    aino, bertta, _cecilia = (await record_of(intake, martat)).contacts
    path = f"/registry/{martat}/contacts"

    up = await intake.browser.post(f"{path}/{bertta.id}/move", data={"direction": "up", "version": "1"})
    after_move = await emails(intake, martat)
    asked = await intake.browser.get(f"{path}/{aino.id}/remove")
    untouched = await emails(intake, martat)
    removed = await intake.browser.post(f"{path}/{aino.id}/remove", data=filled_form(asked))

    assert (up.status_code, removed.status_code) == (303, 303)
    assert after_move == untouched == ["bertta@example.org", "aino@example.org", "cecilia@example.org"]
    assert await emails(intake, martat) == ["bertta@example.org", "cecilia@example.org"]
    assert [one.position for one in (await record_of(intake, martat)).contacts] == [1, 2]
    assert [deed.act for deed in (await deeds(intake))[:2]] == [Act.CONTACT_REMOVED, Act.CONTACT_MOVED]


async def test_moving_from_an_old_page_moves_nothing(intake: Intake, martat: UUID) -> None:
    bertta = (await record_of(intake, martat)).contacts[1]
    path = f"/registry/{martat}/contacts/{bertta.id}/move"
    await intake.browser.post(path, data={"direction": "up", "version": "1"})

    again = await intake.browser.post(path, data={"direction": "down", "version": "1"})

    assert again.status_code == 409
    assert (await emails(intake, martat))[0] == "bertta@example.org"


@pytest.mark.parametrize(
    ("kind", "accept", "left"),
    [
        (ProposalKind.LEAVES, "yes", ["bertta@example.org", "cecilia@example.org"]),
        (ProposalKind.LEAVES, "no", ["aino@example.org", "bertta@example.org", "cecilia@example.org"]),
        (ProposalKind.ADDRESS, "yes", ["new@example.org", "bertta@example.org", "cecilia@example.org"]),
    ],
)
async def test_a_clerk_decides_once_on_what_a_contact_proposes(
    intake: Intake, martat: UUID, kind: ProposalKind, accept: str, left: list[str]
) -> None:
    aino = (await record_of(intake, martat)).contacts[0]
    values = {"id": new_id(), "association_id": martat, "contact_id": aino.id, "kind": kind.value}
    address = "new@example.org" if kind is ProposalKind.ADDRESS else None
    async with intake.database.write() as session:
        await session.execute(insert(Proposal), {**values, "address": address, "proposed_at": intake.clock.now()})
    listed = await intake.browser.get("/registry/proposals")
    page = await intake.browser.get(f"/registry/{martat}")
    path = f"/registry/{martat}/proposals/{values['id']}"
    assert path in page.text

    await intake.browser.post(path, data={"accept": accept})
    await intake.browser.post(path, data={"accept": "yes"})

    assert "Hattulan Martat" in listed.text
    assert await emails(intake, martat) == left
    assert (await record_of(intake, martat)).proposals == []
    assert [deed.act for deed in await deeds(intake)].count(Act.PROPOSAL_DECIDED) == 1
