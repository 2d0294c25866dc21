"""The demonstration's registry: as many associations as the region has, all of them invented."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, repeat
from pathlib import Path
from random import Random
from typing import Literal

from services.demo import names
from shared import region
from shared.identity import Role

Language = Literal["fi", "fi@selko", "sv", "en"]

ASSOCIATIONS_BY_SUB_REGION = {"hameenlinna": 1744, "riihimaki": 789, "forssa": 720}
"""Published by the national register, strategy of the region's associations, section 4.2; 3,253 in all."""

ASSOCIATIONS_BY_SECTOR = {
    "trade-unions": 318,
    "nature": 309,
    "social-health": 280,
    "politics": 204,
    "village": 204,
    "safety": 158,
    "international": 96,
    "business": 75,
    "religion": 62,
    "culture": 520,
    "sports": 702,
    "other": 325,
}
"""From the same section, but for culture and sports: only their sum of 1,222 is known, the split is ours."""

RESIDENTS = {
    "061": 17_000,
    "082": 9_400,
    "086": 8_500,
    "103": 2_300,
    "109": 67_800,
    "165": 16_300,
    "169": 5_200,
    "433": 7_900,
    "694": 28_500,
    "834": 6_100,
    "981": 2_300,
}
"""Residents about the year 2020, in round numbers: the weights that divide a sub-region's associations."""

REGISTER_NUMBERS_FROM = 900_000  # far above the numbers in use


HEADINGS = (
    "Nimi",
    "Rekisterinumero",
    "Kotipaikka",
    "Toimiala",
    "Yhteyshenkilö",
    "Sähköposti",
    "Puhelin",
    "Kieli",
)


class Audience(StrEnum):
    """The group for which a subscriber reads."""

    MEMBERS = "members"
    PROFESSIONALS = "professionals"
    RESIDENTS = "residents"


@dataclass(frozen=True)
class DemoAssociation:
    """An invented association; `municipality` and `sector` are codes."""

    register_number: str
    name: str
    municipality: str
    sector: str
    contact_name: str
    email: str
    phone: str
    language: Language


@dataclass(frozen=True)
class DemoPerson:
    """An invented member of the council's staff."""

    name: str
    email: str
    roles: tuple[Role, ...]
    language: Language


@dataclass(frozen=True)
class DemoSubscriber:
    """An invented subscriber to guidance; `municipalities` are codes, never empty."""

    email: str
    audience: Audience
    municipalities: tuple[str, ...]
    language: Language


@dataclass(frozen=True)
class _Entry:
    name: str
    municipality: str
    sector: str
    language: Language


def demo_associations(seed: int) -> tuple[DemoAssociation, ...]:
    """The 3,253 associations in order of register number, the same ones for the same seed.

    The totals of each sub-region and each sector are the published ones, but for one split that is ours, see
    `ASSOCIATIONS_BY_SECTOR`. Sectors fall to municipalities by chance. Names are unique, addresses lead
    nowhere (example.org) and the telephone numbers are invented.
    """
    rng = Random(seed)  # noqa: S311 - a repeatable invention, no secret
    entries = list(_entries(rng))
    rng.shuffle(entries)
    return tuple(_association(serial, entry, rng) for serial, entry in enumerate(entries, start=1))


def associations_by_municipality() -> Counter[str]:
    """How many associations each municipality (a code) has: its sub-region's total, divided by residents."""
    return Counter(
        {
            code: count
            for sub_region, total in ASSOCIATIONS_BY_SUB_REGION.items()
            for code, count in _divided(total, region.sub_region(sub_region).municipalities)
        }
    )


def _divided(total: int, municipalities: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Shares that sum to the total exactly: rounding is done on the running sum."""
    residents = sum(RESIDENTS[code] for code in municipalities)
    counted = given = 0
    for code in municipalities:
        counted += RESIDENTS[code]
        share = round(total * counted / residents) - given
        given += share
        yield code, share


def _entries(rng: Random) -> Iterator[_Entry]:
    """Named associations, municipality by municipality and sector by sector."""
    municipalities = list(associations_by_municipality().elements())
    rng.shuffle(municipalities)
    sectors = Counter(ASSOCIATIONS_BY_SECTOR).elements()
    cells = Counter(zip(municipalities, sectors, strict=True))
    ranks = iter(range(cells.total()))
    for (municipality, sector), count in sorted(cells.items()):
        finnish = iter(_finnish_names(municipality, sector, rng))
        swedish = iter(_shuffled(names.swedish_names(municipality, sector), rng))
        english = iter(_shuffled(names.english_names(municipality), rng))
        for rank in (next(ranks) for _ in range(count)):
            language = _language(rank, sector)
            pool = {"sv": swedish, "en": english}.get(language, finnish)
            yield _Entry(next(pool), municipality, sector, language)


def _finnish_names(municipality: str, sector: str, rng: Random) -> list[str]:
    """All names in an order of chance: the whole municipality's come early, the villages' are spread out."""
    weighted = chain(
        zip(names.town_names(municipality, sector), repeat(1)),
        zip(names.village_names(municipality, sector), repeat(len(names.villages(municipality)))),
    )
    return [name for _, name in sorted((rng.random() * weight, name) for name, weight in weighted)]


def _shuffled(words: tuple[str, ...], rng: Random) -> list[str]:
    return rng.sample(words, len(words))


def _language(rank: int, sector: str) -> Language:
    """Swedish for 3 in 100 everywhere; English and easy Finnish in the sectors where they are at home."""
    if rank % 33 == 0:
        return "sv"
    if sector == "international" and rank % 8 == 1:
        return "en"
    if sector in {"social-health", "international"} and rank % 12 == 2:
        return "fi@selko"
    return "fi"


def _association(serial: int, entry: _Entry, rng: Random) -> DemoAssociation:
    return DemoAssociation(
        register_number=f"{REGISTER_NUMBERS_FROM + serial:,}".replace(",", "."),
        name=entry.name,
        municipality=entry.municipality,
        sector=entry.sector,
        contact_name=names.person_name(rng, entry.language),
        email=f"{_slug(entry.municipality)}-{serial:04d}@example.org",
        phone=f"+358 40 000 {serial:04d}",
        language=entry.language,
    )


def _slug(municipality: str) -> str:
    return region.municipality(municipality).fi.lower().translate(str.maketrans("äö", "ao"))


def write_csv(associations: Iterable[DemoAssociation], path: Path) -> None:
    """Write them under the usual Finnish headings, as Excel in Finland does: semicolons, UTF-8 with a BOM.

    Kotipaikka and Toimiala are Finnish names, Kieli is a locale code, a missing address is an empty cell.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        sheet = csv.writer(file, delimiter=";")
        sheet.writerow(HEADINGS)
        sheet.writerows(
            (
                association.name,
                association.register_number,
                region.municipality(association.municipality).fi,
                region.sector(association.sector).fi,
                association.contact_name,
                association.email,
                association.phone,
                association.language,
            )
            for association in associations
        )


def demo_people() -> tuple[DemoPerson, ...]:
    """The staff: one person for each role; Kaarina, the clerk, may only look."""
    return (
        DemoPerson("Liisa Usvakallio", "liisa.usvakallio@example.org", (Role.LIAISON,), "fi"),
        DemoPerson("Eero Tuiskuvirta", "eero.tuiskuvirta@example.org", (Role.EDITOR,), "fi"),
        DemoPerson("Aino Kuurasalmi", "aino.kuurasalmi@example.org", (Role.APPROVER,), "fi"),
        DemoPerson("Ylva Daggholme", "ylva.daggholme@example.org", (Role.ADMINISTRATOR,), "sv"),
        DemoPerson("Kaarina Sumunotko", "kaarina.sumunotko@example.org", (Role.CLERK,), "fi"),
        DemoPerson("Helga Rimfrostén", "helga.rimfrosten@example.org", (Role.EXERCISE_LEADER,), "fi"),
    )


def demo_subscribers(seed: int) -> tuple[DemoSubscriber, ...]:
    """120 subscribers of every audience, language and municipality, the same ones for the same seed."""
    rng = Random(seed)  # noqa: S311 - a repeatable invention, no secret
    readers: dict[Language, int] = {"fi": 94, "sv": 12, "en": 8, "fi@selko": 6}
    languages = list(Counter(readers).elements())
    audiences = [
        *repeat(Audience.RESIDENTS, 70),
        *repeat(Audience.MEMBERS, 30),
        *repeat(Audience.PROFESSIONALS, 20),
    ]
    rng.shuffle(languages)
    rng.shuffle(audiences)
    return tuple(
        DemoSubscriber(f"tilaaja-{serial:03d}@example.org", audience, _followed(serial, audience), language)
        for serial, (audience, language) in enumerate(zip(audiences, languages, strict=True), start=1)
    )


def _followed(serial: int, audience: Audience) -> tuple[str, ...]:
    """One's own municipality; a professional follows the sub-region, every tenth person the whole region."""
    if serial % 10 == 0:
        return tuple(place.code for place in region.MUNICIPALITIES)
    home = region.MUNICIPALITIES[serial % len(region.MUNICIPALITIES)].code
    return region.sub_region_of(home).municipalities if audience is Audience.PROFESSIONALS else (home,)
