"""The partners' page: a key is made, shown once, and revoked."""

import re
from uuid import UUID

import pytest

from services.intake.audit.model import Act
from services.intake.partner.store import ApiKey
from shared.identity import Role
from shared.ids import new_id
from tests.intake.house import Intake
from tests.intake.partner.keys import BASE

RESCUE = {"name": "Pelastuslaitos", "scopes": ["registry:read", "king"], "municipalities": ["082"], "months": "6"}


@pytest.fixture(autouse=True)
async def ylva(intake: Intake) -> UUID:
    """An administrator, signed in in the browser."""
    return await intake.sign_in(Role.ADMINISTRATOR, email="ylva@example.org")


async def test_a_key_is_shown_once_and_opens(intake: Intake, ylva: UUID) -> None:
    sent = {**RESCUE, "key_id": str(new_id())}
    made = await intake.browser.post("/partners/new", data=sent)
    again = await intake.browser.post("/partners/new", data=sent)
    listing = await intake.browser.get("/partners?lang=en")

    [key] = re.findall(r"valmius_\w{8}_[\w-]{43}", made.text)
    opened = await intake.browser.get(f"{BASE}/associations", headers={"authorization": f"Bearer {key}"})
    newest = (await intake.app.state.audit.page(size=1))[0].deed
    assert (again.status_code, again.headers["location"]) == (303, "/partners?said=made")
    assert await intake.count(ApiKey) == 1
    assert opened.status_code == 200
    assert "Pelastuslaitos" in listing.text
    assert "Hattula" in listing.text
    assert key not in listing.text
    assert (newest.act, newest.actor, newest.details["scopes"]) == (Act.KEY_MADE, ylva, "registry:read")
    assert "cache-control" in made.headers


async def test_a_key_is_revoked_once(intake: Intake) -> None:
    key_id = new_id()
    made = await intake.browser.post("/partners/new", data={**RESCUE, "key_id": str(key_id)})
    [key] = re.findall(r"valmius_\w{8}_[\w-]{43}", made.text)

    answers = [await intake.browser.post(f"/partners/{key_id}/revoke") for _ in range(2)]

    refused = await intake.browser.get(f"{BASE}/rounds", headers={"authorization": f"Bearer {key}"})
    acts = [link.deed.act for link in await intake.app.state.audit.page()]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert refused.status_code == 401
    assert acts.count(Act.KEY_REVOKED) == 1
    assert "revoked" in (await intake.browser.get("/partners?lang=en")).text
    assert (await intake.browser.post(f"/partners/{new_id()}/revoke")).status_code == 404


@pytest.mark.parametrize(("wrong", "where"), [({"name": ""}, "#f-name"), ({"scopes": []}, "#f-scopes")])
async def test_what_is_missing_is_said(intake: Intake, wrong: dict[str, object], where: str) -> None:
    answer = await intake.browser.post("/partners/new", data={**RESCUE, **wrong})

    assert answer.status_code == 422
    assert f'href="{where}"' in answer.text
    assert await intake.count(ApiKey) == 0
