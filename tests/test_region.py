"""The region's own facts, and finding a municipality or a sector as people write it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import region

NAMED = (
    region.REGION,
    *region.MUNICIPALITIES,
    *region.SUB_REGIONS,
    *region.SECTORS,
    *region.CAPABILITIES,
)
PLACES = st.sampled_from(region.MUNICIPALITIES)
SECTORS = st.sampled_from(region.SECTORS)


def spellings(word: str) -> st.SearchStrategy[str]:
    """The word as a person or a program may write it."""
    cases = st.sampled_from([str.upper, str.lower, str.title, str.swapcase, str])
    forms = st.sampled_from(["NFC", "NFD"])
    margins = st.sampled_from(["", " ", "\t", "\N{NO-BREAK SPACE}", " \n"])
    return st.builds(
        lambda case, composed, before, after: (
            before + unicodedata.normalize("NFD" if composed == "NFD" else "NFC", case(word)) + after
        ),
        cases,
        forms,
        margins,
        margins,
    )


def any_spelling(thing: region.Named) -> st.SearchStrategy[str]:
    return st.sampled_from([thing.code, thing.fi, thing.sv, thing.en]).flatmap(spellings)


def test_the_region_has_what_the_sources_say() -> None:
    assert region.REGION.code == "05"
    assert region.REGION.sv == "Egentliga Tavastland"
    assert len(region.MUNICIPALITIES) == 11
    assert len(region.SUB_REGIONS) == 3
    assert len(region.SECTORS) == 12
    assert len(region.CAPABILITIES) == 15


@pytest.mark.parametrize("things", [region.MUNICIPALITIES, region.SECTORS, region.CAPABILITIES])
def test_no_two_share_a_code_or_a_name(things: tuple[region.Named, ...]) -> None:
    for attribute in ("code", "fi", "sv", "en"):
        assert len({getattr(thing, attribute) for thing in things}) == len(things)


def test_municipalities_stand_in_the_order_of_their_codes() -> None:
    codes = [place.code for place in region.MUNICIPALITIES]

    assert codes == sorted(codes)
    assert all(len(code) == 3 and code.isdecimal() for code in codes)


def test_every_municipality_lies_in_exactly_one_sub_region() -> None:
    members = sorted(code for place in region.SUB_REGIONS for code in place.municipalities)

    assert members == [place.code for place in region.MUNICIPALITIES]


@pytest.mark.parametrize(
    ("sub_region", "municipalities"),
    [
        ("hameenlinna", {"Hattula", "Hämeenlinna", "Janakkala"}),
        ("riihimaki", {"Hausjärvi", "Loppi", "Riihimäki"}),
        ("forssa", {"Forssa", "Humppila", "Jokioinen", "Tammela", "Ypäjä"}),
    ],
)
def test_a_sub_region_holds_its_own_municipalities(sub_region: str, municipalities: set[str]) -> None:
    held = {place.fi for place in region.MUNICIPALITIES if region.sub_region_of(place.code).code == sub_region}

    assert held == municipalities
    assert set(region.sub_region(sub_region).municipalities) == {
        place.code for place in region.MUNICIPALITIES if place.fi in municipalities
    }


def test_the_tiles_form_the_grid_with_one_empty_cell() -> None:
    rows = [["", "", "", ""] for _ in range(3)]
    for place in region.MUNICIPALITIES:
        rows[place.tile.row - 1][place.tile.column - 1] = place.fi

    assert rows == [
        ["Humppila", "", "Hattula", "Hämeenlinna"],
        ["Jokioinen", "Forssa", "Janakkala", "Hausjärvi"],
        ["Ypäjä", "Tammela", "Loppi", "Riihimäki"],
    ]


def test_only_two_municipalities_have_a_swedish_name_of_their_own() -> None:
    own = {place.fi: place.sv for place in region.MUNICIPALITIES if place.sv != place.fi}

    assert own == {"Hämeenlinna": "Tavastehus", "Jokioinen": "Jockis"}


def test_a_name_is_given_in_the_language_of_the_reader() -> None:
    village, town = region.sector("village"), region.municipality("109")

    assert village.name("fi") == village.name("fi@selko") == "Kylä-, kotiseutu- ja asukastoiminta"
    assert village.name("sv") == "By-, hembygds- och invånarverksamhet"
    assert village.name("en") == "Village, local heritage and residents"
    assert [town.name(locale) for locale in ("fi", "fi@selko", "sv", "en")] == [
        "Hämeenlinna",
        "Hämeenlinna",
        "Tavastehus",
        "Hämeenlinna",
    ]


@pytest.mark.parametrize("locale", ["fi", "fi@selko", "sv", "en"])
@pytest.mark.parametrize("thing", NAMED, ids=lambda thing: thing.code)
def test_nothing_is_without_a_name(thing: region.Named, locale: str) -> None:
    assert thing.name(locale).strip() == thing.name(locale) != ""


def test_a_code_leads_to_its_own_thing() -> None:
    assert all(region.municipality(place.code) is place for place in region.MUNICIPALITIES)
    assert all(region.sub_region(place.code) is place for place in region.SUB_REGIONS)
    assert all(region.sector(field.code) is field for field in region.SECTORS)
    assert all(region.capability(ability.code) is ability for ability in region.CAPABILITIES)


@pytest.mark.parametrize(
    "lookup",
    [region.municipality, region.sub_region, region.sub_region_of, region.sector, region.capability],
)
@pytest.mark.parametrize("code", ["", "999", "Forssa", "TRADE-UNIONS"])
def test_a_code_that_does_not_exist_is_refused(lookup: object, code: str) -> None:
    assert callable(lookup)

    with pytest.raises(KeyError):
        lookup(code)


@given(st.data())
def test_a_municipality_is_found_however_it_is_written(data: st.DataObject) -> None:
    place = data.draw(PLACES)

    assert region.find_municipality(data.draw(any_spelling(place))) is place


@given(st.data())
def test_a_sector_is_found_however_it_is_written(data: st.DataObject) -> None:
    field = data.draw(SECTORS)

    assert region.find_sector(data.draw(any_spelling(field))) is field


@given(PLACES)
def test_a_code_that_lost_its_leading_zero_in_a_spreadsheet_is_found(place: region.Municipality) -> None:
    assert region.find_municipality(str(int(place.code))) is place


@given(st.text())
def test_finding_answers_with_a_thing_of_that_name_or_with_nothing(text: str) -> None:
    def letters(word: str) -> str:
        return "".join(c for c in unicodedata.normalize("NFKC", word).casefold() if c.isalnum()).lstrip("0")

    for found in (region.find_municipality(text), region.find_sector(text)):
        assert found is None or letters(text) in map(letters, (found.code, found.fi, found.sv, found.en))


@pytest.mark.parametrize("text", ["", "  ", "-", "Turku", "0", "0061", "Forssan", "Hämeen linnan seutu"])
def test_what_is_unknown_is_not_guessed(text: str) -> None:
    assert region.find_municipality(text) is None
    assert region.find_sector(text) is None
