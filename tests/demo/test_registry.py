"""The invented registry: the region's real totals, no real person or address, always the same."""

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.demo import names
from services.demo.registry import (
    ASSOCIATIONS_BY_SECTOR,
    RESIDENTS,
    Audience,
    DemoAssociation,
    associations_by_municipality,
    demo_associations,
    demo_people,
    demo_subscribers,
    write_csv,
)
from shared import region

ASSOCIATIONS = demo_associations(2020)
LANGUAGES = {"fi", "fi@selko", "sv", "en"}

PUBLISHED_BY_SECTOR = {
    "trade-unions": 318,
    "nature": 309,
    "social-health": 280,
    "politics": 204,
    "village": 204,
    "safety": 158,
    "international": 96,
    "business": 75,
    "religion": 62,
    "other": 325,
}


def by(attribute: Callable[[DemoAssociation], str]) -> Counter[str]:
    return Counter(map(attribute, ASSOCIATIONS))


def test_there_are_as_many_as_in_the_region() -> None:
    assert len(ASSOCIATIONS) == 3253


def test_each_sub_region_has_its_published_number() -> None:
    counted = by(lambda association: region.sub_region_of(association.municipality).code)

    assert counted == {"hameenlinna": 1744, "riihimaki": 789, "forssa": 720}


@pytest.mark.parametrize("sector", PUBLISHED_BY_SECTOR)
def test_each_sector_has_its_published_number(sector: str) -> None:
    assert by(lambda association: association.sector)[sector] == PUBLISHED_BY_SECTOR[sector]


def test_culture_and_sports_share_the_number_that_is_left() -> None:
    counted = by(lambda association: association.sector)

    assert counted["culture"] + counted["sports"] == 1222
    assert counted.keys() == ASSOCIATIONS_BY_SECTOR.keys() == {field.code for field in region.SECTORS}


def test_associations_of_a_sub_region_are_divided_by_residents() -> None:
    counted = by(lambda association: association.municipality)

    assert counted == associations_by_municipality()
    for sub_region in region.SUB_REGIONS:
        codes = sub_region.municipalities
        per_resident = sum(counted[code] for code in codes) / sum(RESIDENTS[code] for code in codes)
        for code in codes:
            assert counted[code] == pytest.approx(RESIDENTS[code] * per_resident, abs=1)


def test_the_same_seed_gives_the_same_registry() -> None:
    assert demo_associations(2020) == ASSOCIATIONS
    assert demo_associations(2021) != ASSOCIATIONS


@given(st.integers())
@settings(max_examples=15, deadline=None)
@pytest.mark.slow
def test_every_seed_gives_a_whole_registry_of_unique_names(seed: int) -> None:
    associations = demo_associations(seed)

    assert len({(association.name, association.municipality) for association in associations}) == 3253
    assert Counter(association.sector for association in associations) == ASSOCIATIONS_BY_SECTOR


def test_register_numbers_run_upward_from_above_those_in_use() -> None:
    numbers = [association.register_number for association in ASSOCIATIONS]

    assert (numbers[0], numbers[998], numbers[999], numbers[-1]) == (
        "900.001",
        "900.999",
        "901.000",
        "903.253",
    )
    assert len(set(numbers)) == 3253


def test_addresses_are_unique_and_lead_nowhere() -> None:
    emails = [association.email for association in ASSOCIATIONS]

    assert all(email.endswith("@example.org") and email.isascii() for email in emails)
    assert len(set(emails)) == len(emails) == 3253


def test_telephone_numbers_are_unique_and_fictitious() -> None:
    phones = {association.phone for association in ASSOCIATIONS}

    assert len(phones) == 3253
    assert all(phone.startswith("+358 40 000 ") and len(phone) == 16 for phone in phones)


def test_a_contact_has_a_given_and_a_family_name() -> None:
    assert all(len(association.contact_name.split()) == 2 for association in ASSOCIATIONS)


def test_a_few_write_swedish_english_or_easy_finnish() -> None:
    counted = by(lambda association: association.language)

    assert counted.keys() == LANGUAGES
    assert 0.025 < counted["sv"] / 3253 < 0.035
    assert 5 <= counted["en"] <= 30
    assert 10 <= counted["fi@selko"] <= 60


def test_swedish_associations_have_swedish_names_and_the_others_not() -> None:
    for association in ASSOCIATIONS:
        assert association.name.endswith(" rf" if association.language == "sv" else " ry")
        if association.language == "sv":
            assert f" i {region.municipality(association.municipality).sv}" in association.name


def test_a_finnish_name_begins_with_the_municipality_or_one_of_its_villages() -> None:
    for association in ASSOCIATIONS:
        if association.language in {"fi", "fi@selko"}:
            places = (names.GENITIVES[association.municipality], *names.villages(association.municipality))
            assert association.name.split()[0] in places


def test_villages_belong_to_one_municipality_each() -> None:
    villages = [village for code in names.GENITIVES for village in names.villages(code)]

    assert len(set(villages)) == len(villages)
    assert not set(villages) & set(names.GENITIVES.values())


@pytest.mark.parametrize("code", names.GENITIVES)
def test_no_two_sectors_of_a_municipality_share_a_name(code: str) -> None:
    every = [
        name
        for sector in names.WORDINGS
        for name in (
            *names.town_names(code, sector),
            *names.village_names(code, sector),
            *names.swedish_names(code, sector),
        )
    ]
    every += names.english_names(code)

    assert [name for name, times in Counter(every).items() if times > 1] == []


def test_the_list_reads_as_a_finnish_spreadsheet_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "yhdistykset.csv"

    write_csv(ASSOCIATIONS, path)

    head, *lines = path.read_bytes().split(b"\r\n")
    assert head.decode() == ("\ufeffNimi;Rekisterinumero;Kotipaikka;Toimiala;Yhteyshenkilö;Sähköposti;Puhelin;Kieli")
    assert len(lines) == 3253 + 1
    assert lines[-1] == b""


def test_each_row_of_the_list_can_be_read_back(tmp_path: Path) -> None:
    path = tmp_path / "yhdistykset.csv"

    write_csv(ASSOCIATIONS, path)

    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    for row, association in zip(rows, ASSOCIATIONS, strict=True):
        place, field = region.find_municipality(row["Kotipaikka"]), region.find_sector(row["Toimiala"])
        assert place is not None
        assert field is not None
        assert association == DemoAssociation(
            register_number=row["Rekisterinumero"],
            name=row["Nimi"],
            municipality=place.code,
            sector=field.code,
            contact_name=row["Yhteyshenkilö"],
            email=row["Sähköposti"],
            phone=row["Puhelin"],
            language=association.language,
        )
        assert row["Kieli"] == association.language


def test_the_staff_has_one_person_for_each_role() -> None:
    roles = {person.name.split()[0]: person.roles for person in demo_people()}

    assert roles == {
        "Liisa": ("liaison",),
        "Eero": ("editor",),
        "Aino": ("approver",),
        "Ylva": ("administrator",),
        "Kaarina": ("clerk",),
        "Helga": ("exercise_leader",),
    }
    assert {person.language for person in demo_people() if person.name.startswith("Ylva")} == {"sv"}
    assert all(person.email.endswith("@example.org") for person in demo_people())


def test_subscribers_cover_every_municipality_audience_and_language() -> None:
    subscribers = demo_subscribers(2020)

    assert len({subscriber.email for subscriber in subscribers}) == 120
    assert all(subscriber.email.endswith("@example.org") for subscriber in subscribers)
    assert {homes[0] for homes in (s.municipalities for s in subscribers) if len(homes) == 1} == RESIDENTS.keys()
    assert {subscriber.audience for subscriber in subscribers} == set(Audience)
    assert {subscriber.language for subscriber in subscribers} == LANGUAGES
    assert sum(subscriber.language == "fi" for subscriber in subscribers) > 60


def test_the_same_seed_gives_the_same_subscribers() -> None:
    assert demo_subscribers(1) == demo_subscribers(1) != demo_subscribers(2)
