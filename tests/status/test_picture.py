"""The picture: its figures, its trend and what it says of them."""

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.status.association.model import Traits
from services.status.picture.model import Glance, TrendStep, crossed, picture_of
from services.status.picture.store import PictureStore
from services.status.picture.trend_svg import BANDS, HEIGHT, WIDTH, draw
from services.status.picture.web import moment_of
from services.status.readiness.model import Dimension, Face, State, TallyKey, recounted
from shared.events.intake import OperatingStatus
from shared.identity import Role
from tests.fakes import STORM_EVENING, FakeClock
from tests.status.conftest import Stores
from tests.status.people import TAMMELA, Desk, association, checkin, round_of, storm

NOTHING = Glance(Counter(), {}, (), ())
END = STORM_EVENING + timedelta(hours=3)


def test_an_empty_picture_is_complete_and_nowhere_green() -> None:
    picture = picture_of(storm().situation, NOTHING, STORM_EVENING)

    assert len(picture.municipalities) == 11
    assert {line.face for line in picture.municipalities.values()} == {Face.UNKNOWN}
    assert picture.spoken_share == 0
    assert picture.trend_to > picture.trend_from


def test_what_is_read_aloud_goes_in_steps_of_a_twentieth() -> None:
    tallies = Counter(
        {
            TallyKey(Dimension.REGION, "05", State.NORMAL): 37,
            TallyKey(Dimension.REGION, "05", State.NOT_ANSWERED): 63,
        }
    )

    assert picture_of(storm().situation, Glance(tallies, {}, (), ()), STORM_EVENING).spoken_share == 0.35


def test_the_trend_of_a_closed_situation_ends_with_it() -> None:
    situation = storm().situation
    closed = type(situation)(**{**vars(situation), "closed_at": END})

    assert picture_of(closed, NOTHING, END + timedelta(days=9)).trend_to == END


async def test_a_glance_brings_figures_newest_trend_and_changes(stores: Stores, clock: FakeClock) -> None:
    round_ = await stores.ask("Aino", "Bertta", "Cecilia")
    situation = await stores.situation_of(round_)
    clock.move(minutes=20)
    await stores.readiness.hear(checkin("Aino", round_, OperatingStatus.LIMITED, after=11))
    await stores.readiness.hear(checkin("Bertta", round_, OperatingStatus.LIMITED, after=14))

    glance = await PictureStore(stores.database).glance(situation, since=STORM_EVENING)
    picture = picture_of(situation, glance, clock.now())

    assert glance.newest == {State.LIMITED: STORM_EVENING + timedelta(minutes=14)}
    assert [change.name for change in glance.changes] == ["Bertta", "Aino"]
    assert picture.municipalities[TAMMELA].face is Face.LIMITED
    assert picture.municipalities[TAMMELA].coverage.answered == 2
    assert sum(step.delta for step in glance.trend) == 3


async def test_a_municipality_is_listed_by_name_page_by_page(stores: Stores) -> None:
    names = [f"Yhdistys {number:03}" for number in range(60)]
    round_ = await stores.ask(*names)
    situation = await stores.situation_of(round_)
    store = PictureStore(stores.database)

    first, total = await store.listed(situation, TAMMELA, state=None, page=1)
    second, _ = await store.listed(situation, TAMMELA, state=State.NOT_ANSWERED, page=2)

    assert total == 60
    assert [one.name for one in first + second] == names


def test_the_trend_is_drawn_in_its_field_and_ends_with_the_present_counts() -> None:
    steps = [
        TrendStep(STORM_EVENING, State.NOT_ANSWERED, 10),
        TrendStep(STORM_EVENING + timedelta(hours=1), State.NOT_ANSWERED, -4),
        TrendStep(STORM_EVENING + timedelta(hours=1), State.NORMAL, 3),
        TrendStep(STORM_EVENING + timedelta(hours=1), State.SUSPENDED, 1),
        TrendStep(STORM_EVENING, State.NOT_ASKED, 99),
    ]

    trend = draw(steps, start=STORM_EVENING, end=END)

    assert {area.state: area.count for area in trend.areas} == {"normal": 3, "limited": 0, "suspended": 1, "silent": 6}
    assert trend.up == (12, 9, 6, 3, 0)
    assert trend.across[0] == STORM_EVENING
    assert trend.across[-1] == END
    assert trend.rows[0].counts == (0, 0, 0, 10)
    assert trend.rows[-1].counts == (3, 0, 1, 6)


moves = st.tuples(st.integers(0, 180), st.sampled_from(State), st.sampled_from(State))


@given(st.integers(1, 5000), st.lists(moves, max_size=30))
def test_every_drawing_stays_inside_and_its_bands_meet(asked: int, story: list[tuple[int, State, State]]) -> None:
    steps = [TrendStep(STORM_EVENING, State.NOT_ANSWERED, asked)]
    at = Counter({State.NOT_ANSWERED: asked})
    for minutes, before, after in sorted(story, key=lambda move: move[0]):
        if at[before] and State.NOT_ASKED not in (before, after):
            at.update({before: -1})
            at.update({after: 1})
            slot = STORM_EVENING + timedelta(minutes=minutes)
            steps += [TrendStep(slot, before, -1), TrendStep(slot, after, 1)]

    trend = draw(steps, start=STORM_EVENING, end=END)

    assert sum(area.count for area in trend.areas) == asked
    for area in trend.areas:
        for point in area.points.split(" "):
            x, y = map(float, point.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
    assert all(sum(row.counts) == asked for row in trend.rows)
    assert [area.state for area in trend.areas] == [name for name, _states in BANDS]


def test_a_moment_in_an_address_is_read_or_nothing() -> None:
    assert moment_of("2026-11-21T20:00+02:00") == STORM_EVENING
    assert moment_of("2026-11-21T18:00") == STORM_EVENING
    assert moment_of("soon") is None


traits = st.builds(
    Traits,
    municipality=st.sampled_from(["834", "433", "999"]),
    sector=st.sampled_from(["village", "sports"]),
    networks=st.sampled_from([(), ("silta",), ("silta", "silta-youth")]),
    capabilities=st.sampled_from([(), ("transport",), ("first-aid", "transport")]),
)


@given(st.lists(st.tuples(traits, st.sampled_from(State), st.integers(1, 5))), st.sampled_from(Dimension))
def test_crossing_with_the_region_gives_the_tallies_of_the_other_dimension(
    counts: list[tuple[Traits, State, int]], dimension: Dimension
) -> None:
    cells = crossed(counts, dimension, Dimension.REGION)

    again = recounted((each, state, False, count) for each, state, count in counts)
    tallies = {key: count for key, count in again.items() if key.dimension is dimension}
    assert {
        TallyKey(dimension, row, state): count
        for (row, _), line in cells.items()
        for state, count in line.counts.items()
    } == tallies


@given(st.lists(st.tuples(traits, st.sampled_from(State), st.integers(1, 5))))
def test_rows_and_columns_change_places(counts: list[tuple[Traits, State, int]]) -> None:
    there = crossed(counts, Dimension.SECTOR, Dimension.CAPABILITY)
    back = crossed(counts, Dimension.CAPABILITY, Dimension.SECTOR)

    assert {pair: line.counts for pair, line in there.items()} == {(b, a): line.counts for (a, b), line in back.items()}


async def test_a_crossed_table_is_there_for_any_two_dimensions(open_desk: Desk) -> None:
    state = open_desk.app.state
    await state.readiness.know(association("Aino", networks=("silta",), capabilities=("transport",)))
    opened = storm()
    await state.situations.open(opened)
    round_ = await state.rounds.open(opened.situation, round_of(opened.situation))
    await state.readiness.hear(checkin("Aino", round_, OperatingStatus.LIMITED))
    open_desk.sign_in(Role.VIEWER)
    path = f"/situations/{opened.situation.id}/crossed"
    pages = [
        (await open_desk.browser.get(f"{path}?rows={rows}&columns={columns}&lang=en")).text
        for rows in Dimension
        for columns in Dimension
    ]
    limited = (await open_desk.browser.get(f"{path}?rows=network&columns=capability&state=limited&lang=en")).text
    odd = await open_desk.browser.get(f"{path}?rows=x&columns=y&state=z")

    assert all('<td class="num">1/1</td>' in page for page in pages)
    assert '<td class="num">1</td>' in limited
    assert odd.status_code == 200
