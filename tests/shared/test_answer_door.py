"""The answer form, filled in over HTTP: what is sent, and what follows from what the door says."""

from urllib.parse import parse_qs

import httpx
import pytest

from shared.answer_door import AnswerDoor, FilledIn, NotTakenError
from shared.events.intake import Amount, OperatingStatus
from shared.ids import new_id

FORM = FilledIn(
    form_id=new_id(),
    status=OperatingStatus.LIMITED,
    needs=[Amount(capability="transport", amount=2)],
    offers=[Amount(capability="premises"), Amount(capability="volunteers", amount=5)],
)


async def test_the_form_is_sent_as_a_browser_sends_it() -> None:
    seen: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    async with AnswerDoor("http://form", transport=httpx.MockTransport(take)) as door:
        await door.send("/c/link", FORM)

    assert [(request.method, str(request.url)) for request in seen] == [
        ("POST", "http://form/c/link"),
    ]
    assert parse_qs(seen[0].content.decode()) == {
        "status": ["limited"],
        "checkin_id": [str(FORM.form_id)],
        "need": ["transport"],
        "need-transport": ["2"],
        "offer": ["premises", "volunteers"],
        "offer-volunteers": ["5"],
    }


@pytest.mark.parametrize(
    ("status", "permanent"), [(404, True), (422, True), (303, True), (429, False), (500, False), (503, False)]
)
async def test_what_the_door_says_tells_if_it_may_be_sent_again(status: int, *, permanent: bool) -> None:
    async with AnswerDoor("http://form", transport=httpx.MockTransport(lambda _: httpx.Response(status))) as door:
        with pytest.raises(NotTakenError) as told:
            await door.send("/c/a-secret-link", FORM)

    assert told.value.permanent is permanent
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
async def test_a_door_that_cannot_be_reached_may_be_reached_later(error: type[httpx.TransportError]) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error("to /c/a-secret-link")

    async with AnswerDoor("http://form", transport=httpx.MockTransport(fail)) as door:
        with pytest.raises(NotTakenError) as told:
            await door.send("/c/a-secret-link", FORM)

    assert (told.value.permanent, str(told.value)) == (False, error.__name__)
