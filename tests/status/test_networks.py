"""Networks: told by name in any order, shown by name, and rounds may ask one of them; who declines is counted apart."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from services.status.network.model import Network
from services.status.network.store import NetworkStore
from services.status.readiness.model import Dimension, State, Verdict
from services.status.situation.model import Round
from shared.events.intake import AssociationDeclined, NetworkChanged, OperatingStatus
from shared.i18n import Locale
from shared.identity import Role
from shared.realm import LIVE
from shared.settings import Settings
from tests.fakes import STORM_EVENING, FakeClock
from tests.status.conftest import Stores
from tests.status.people import TAMMELA, Desk, association, association_id, checkin, desk, round_of, storm

SILTA = {"fi": "SILTA-verkosto", "sv": "Nätverket SILTA", "en": "SILTA network"}


def network(code: str = "silta", *, minutes: int = 0, retired: bool = False, **names: str) -> NetworkChanged:
    """The registry tells of a network, so many minutes after the storm evening began."""
    at = STORM_EVENING + timedelta(minutes=minutes)
    return NetworkChanged(happened_at=at, realm=LIVE, code=code, names=names or SILTA, retired=retired)


def declines(name: str, round_: Round) -> AssociationDeclined:
    """The association says "not this time" in the round."""
    return AssociationDeclined(
        happened_at=STORM_EVENING,
        realm=round_.realm,
        association_id=association_id(name),
        situation_id=round_.situation_id,
        round_id=round_.id,
    )


@pytest.mark.parametrize(("locale", "name"), [("fi", "Kylät"), ("fi@selko", "Kylät"), ("sv", "Byar"), ("en", "Kylät")])
def test_a_network_without_a_name_in_a_language_has_its_finnish_one(locale: str, name: str) -> None:
    assert Network("k", {"fi": "Kylät", "sv": "Byar"}).name(locale) == name
    assert Network("k", {}).name(locale) == "k"


@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(4)))
async def test_the_newest_telling_stays_in_whichever_order_they_come(stores: Stores, order: list[int]) -> None:
    store = NetworkStore(stores.database)

    for minutes in [*order, order[0]]:
        await store.know(network(minutes=minutes, retired=minutes == 3, fi=f"Nimi {minutes}"))

    assert await store.list_all() == [Network("silta", {"fi": "Nimi 3"}, retired=True)]
    assert await store.options("fi") == []


async def test_who_declines_is_counted_until_it_answers_or_is_asked_anew(stores: Stores, clock: FakeClock) -> None:
    first = await stores.ask("Aino", "Bertta", "Cecilia")
    situation = await stores.situation_of(first)

    verdicts = [await stores.readiness.hear(declines(name, first)) for name in ("Aino", "Bertta")]
    again = await stores.readiness.hear(declines("Aino", first))
    both = await declined(stores, first)
    await stores.readiness.hear(checkin("Aino", first, OperatingStatus.LIMITED))
    late = await stores.readiness.hear(declines("Aino", first))
    one = await declined(stores, first)
    assert not await stores.readiness.recount(situation.realm, situation.id)
    await stores.rounds.open(situation, round_of(situation, now=clock.move(hours=1)))

    assert verdicts == [Verdict.HEARD] * 2
    assert (again, late) == (Verdict.HEARD, Verdict.ANSWERED)
    assert (both, one, await declined(stores, first)) == (2, 1, 0)
    assert await stores.region(situation) == {State.LIMITED: 1, State.NOT_ANSWERED: 2}
    assert not await stores.readiness.recount(situation.realm, situation.id)


async def declined(stores: Stores, round_: Round) -> int:
    """How many of the whole region have declined."""
    tallies = await stores.tallies(await stores.situation_of(round_))
    return sum(count for key, count in tallies.items() if key[:2] == (Dimension.DECLINED, "05"))


@pytest.fixture
async def open_desk(settings: Settings, clock: FakeClock) -> AsyncIterator[Desk]:
    """The service, whose registry has told of a network and its one member, and nobody signed in."""
    async with desk(settings, clock) as one:
        await one.app.state.networks.know(network())
        await one.app.state.networks.know(network("vanha", fi="Entinen verkosto", retired=True))
        member = association("Aino ry", networks=("silta",), capabilities=("transport",))
        for known in (member, association("Bertta ry", capabilities=("transport",))):
            await one.app.state.readiness.know(known)
        yield one


async def test_a_round_asks_a_network_that_is_chosen_by_name(open_desk: Desk) -> None:
    open_desk.sign_in(Role.LIAISON)
    opened = storm()
    await open_desk.app.state.situations.open(opened)
    path = f"/situations/{opened.situation.id}/rounds/new?lang=sv"
    choice = {"municipalities": ["05"], "sectors": ["all"], "hours": "24", "networks": ["silta", "made-up"]}

    form = (await open_desk.browser.get(path)).text
    confirm = (await open_desk.browser.post(path, data={**choice, "step": "confirm"})).text
    done = await open_desk.browser.post(path, data={**choice, "step": "open"})

    assert "Nätverket SILTA" in form
    assert "Entinen" not in form
    assert "Nätverket SILTA" in confirm
    assert "made-up" not in confirm
    assert done.status_code == 303
    [round_] = await open_desk.app.state.situations.rounds(opened.situation)
    assert (round_.asked, round_.asks.networks) == (1, ("silta",))


async def test_networks_are_named_in_the_crossed_table_in_who_can_and_in_reports(open_desk: Desk) -> None:
    opened = storm()
    state = open_desk.app.state
    await state.situations.open(opened)
    round_ = await state.rounds.open(opened.situation, round_of(opened.situation))
    await state.readiness.hear(declines("Bertta ry", round_))
    open_desk.sign_in(Role.LIAISON)
    path = f"/situations/{opened.situation.id}"

    crossed = (await open_desk.browser.get(f"{path}/crossed?rows=network&columns=region&lang=sv")).text
    who_can = (await open_desk.browser.get(f"{path}/who-can?capability=transport&network=silta&lang=en")).text
    picture = (await open_desk.browser.get(f"{path}?lang=en")).text
    await open_desk.browser.post(f"{path}/reports/new", data={"report_id": str(round_.id)})
    await state.networks.know(network(minutes=5, fi="Toinen nimi"))
    reports = [(await open_desk.browser.get(f"{path}/reports/1/report.csv?lang={one}")).text for one in Locale]

    assert "Nätverket SILTA" in crossed
    assert "SILTA network" in who_can
    assert "Aino ry" in who_can
    assert "Bertta ry" not in who_can
    assert "1 will not answer this time" in picture
    assert "2 associations were asked" in picture
    for report, name in zip(reports, ("SILTA-verkosto", "SILTA-verkosto", *list(SILTA.values())[1:]), strict=True):
        assert name in report
    assert "will not answer this time; it is counted as silent" in reports[-1]
    assert (await open_desk.browser.get(f"{path}/crossed?rows=declined")).status_code == 200
    assert (await open_desk.browser.get(f"{path}/{TAMMELA}")).status_code == 200
