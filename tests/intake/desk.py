"""What tests of the registry desk share: forms as a browser would send them back."""

import re
from html import unescape
from uuid import UUID

from httpx import Response

from services.intake.registry.store import Record
from shared.audit import Deed
from shared.identity import Role, Staff
from tests.fakes import STORM_EVENING
from tests.intake.house import Intake

FIELD = re.compile(r"<input([^>]*)>")
SELECT = re.compile(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', re.DOTALL)
CHOSEN = re.compile(r'<option value="([^"]*)" selected')
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')

EVERYWHERE = Staff(UUID(int=1), UUID(int=2), frozenset({Role.ADMINISTRATOR}), STORM_EVENING)


def filled_form(page: Response, **changes: str | list[str]) -> dict[str, str | list[str]]:
    """All that the page's fields hold, as a browser sends it, with some of it changed."""
    form: dict[str, str | list[str]] = {}
    for [attributes] in (found.groups() for found in FIELD.finditer(page.text)):
        told = {name: unescape(value) for name, value in ATTRIBUTE.findall(attributes)}
        if told.get("type") == "checkbox":
            if attributes.rstrip().endswith("checked"):
                form[told["name"]] = [*form.get(told["name"], []), told["value"]]
        elif "name" in told:
            form[told["name"]] = told.get("value", "")
    for name, options in SELECT.findall(page.text):
        chosen = CHOSEN.findall(options)
        form[name] = unescape(chosen[0]) if chosen else ""
    return {**form, **changes}


async def record_of(intake: Intake, association_id: UUID) -> Record:
    """The association as the register holds it."""
    found: Record | None = await intake.app.state.registry.record(association_id, staff=EVERYWHERE)
    assert found is not None
    return found


async def deeds(intake: Intake) -> list[Deed]:
    """What was written down of the desk, newest first."""
    return [link.deed for link in await intake.app.state.audit.page()]
