"""The page on which somebody sends herself a text before its release."""

from fastapi import FastAPI

from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.store import SubscriberStore
from shared.identity import Role
from tests.fakes import FakeClock
from tests.notify.conftest import signed_in, staff
from tests.notify.guidance.drafts import draft, published, resident, submitted


async def test_a_text_that_waits_is_sent_to_oneself_as_a_test(
    app: FastAPI, clock: FakeClock, guidance: GuidanceStore
) -> None:
    revision = await submitted(guidance, draft())
    editor = signed_in(app, staff(clock, Role.EDITOR))
    here = f"/guidance/{revision.guidance_id}/trial"

    form = await editor.get(f"{here}?lang=en")
    wrong = await editor.post(f"{here}?lang=en", data={"address": "own@", "language": "sv"})
    sent = await editor.post(here, data={"address": "own@example.org", "language": "sv"})
    after = await editor.get(f"{sent.headers['location']}&lang=en")

    assert "The letter says that it is a test." in form.text
    assert wrong.status_code == 422
    assert 'value="own@"' in wrong.text
    assert sent.status_code == 303
    assert "The test letter is on its way." in after.text


async def test_what_is_released_has_no_test_letter(
    app: FastAPI, clock: FakeClock, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    revision = await published(guidance)
    editor = signed_in(app, staff(clock, Role.EDITOR))

    assert (await editor.get(f"/guidance/{revision.guidance_id}/trial")).status_code == 404
