"""The page of letters that came back: administrators discard what no program can read, or have it read again."""

from services.notify.bounce.model import Found
from services.notify.bounce.store import PAGE
from shared.identity import Role
from shared.ids import new_id
from shared.realm import Realm
from tests.notify.bounce.conftest import Returns
from tests.notify.conftest import signed_in, staff


async def test_a_letter_that_nobody_could_read_is_shown_and_discarded(returns: Returns) -> None:
    await returns.come_back(await returns.send([new_id()], realm=Realm("ex-autumn")), Found.UNCLEAR)
    [letter], _ = await returns.bounces.unread()

    async with signed_in(returns.app, staff(returns.clock, Role.ADMINISTRATOR)) as browser:
        shown = await browser.get("/notify/bounces")
        done = await browser.post(f"/notify/bounces/{letter.bounce_id}/discard")
        again = await browser.post(f"/notify/bounces/{letter.bounce_id}/again")
        left = await browser.get(done.headers["location"])

    assert "Re: ohje" in shown.text
    assert "Kiitos!" in shown.text
    assert "aino@example.org" in shown.text
    assert "HARJOITUS" in shown.text
    assert (done.status_code, again.headers["location"]) == (303, "/notify/bounces?said=quicker")
    assert "Re: ohje" not in left.text
    assert await returns.bounces.claim() == []


async def test_read_again_it_is_read_again(returns: Returns) -> None:
    await returns.come_back(await returns.send([new_id()]), Found.UNCLEAR)
    [letter], _ = await returns.bounces.unread()

    async with signed_in(returns.app, staff(returns.clock, Role.ADMINISTRATOR)) as browser:
        await browser.post(f"/notify/bounces/{letter.bounce_id}/again")

    returns.clock.move(minutes=6)
    assert [claimed.tries for claimed in await returns.bounces.claim()] == [1]


async def test_figures_and_pages(returns: Returns) -> None:
    people = await returns.subscribe("aino@example.org", "bertta@example.org")
    await returns.come_back(await returns.send(people), Found.HARD)
    letter = await returns.send([new_id()])
    for number in range(PAGE + 1):
        await returns.come_back(letter, Found.UNCLEAR, name=str(number), read=False)
    await returns.read()

    async with signed_in(returns.app, staff(returns.clock, Role.ADMINISTRATOR)) as browser:
        first = await browser.get("/notify/bounces")
        second = await browser.get("/notify/bounces?page=2")
        strange = await browser.get("/notify/bounces?page=x&said=y")

    assert first.text.count("/discard") == PAGE
    assert second.text.count("/discard") == 1
    assert first.text.count("<dd>2</dd>") == 2
    assert strange.status_code == 200


async def test_a_subscriber_sees_that_our_letters_do_not_reach_her(returns: Returns) -> None:
    [aino] = await returns.subscribe("aino@example.org")
    await returns.come_back(await returns.send([aino]), Found.HARD)
    links = returns.app.state.links

    async with signed_in(returns.app, staff(returns.clock)) as browser:
        page = await browser.get(links.preferences(aino).removeprefix("http://127.0.0.1:8000"))

    assert page.status_code == 200
    assert "/subscribe?lang=fi" in page.text
