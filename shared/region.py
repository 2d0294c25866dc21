"""The region as it is: its municipalities, sub-regions, sectors and capabilities, and how to find them."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar


@dataclass(frozen=True)
class Named:
    """Something with a stable code and a name in each language; places have no English name of their own."""

    code: str
    fi: str
    sv: str
    en: str

    def name(self, locale: str) -> str:
        """The name for a locale: `sv` and `en` have their own, `fi@selko` and all others get the Finnish."""
        match locale:
            case "sv":
                return self.sv
            case "en":
                return self.en
            case _:
                return self.fi


class Tile(NamedTuple):
    """A place in the tile grid of 3 rows and 4 columns, both counted from 1 as in a CSS grid."""

    row: int
    column: int


@dataclass(frozen=True)
class Municipality(Named):
    """A municipality; its code is that of the national classification, three digits with leading zeros."""

    tile: Tile


@dataclass(frozen=True)
class SubRegion(Named):
    """A sub-region and the codes of its municipalities."""

    municipalities: tuple[str, ...]


@dataclass(frozen=True)
class Sector(Named):
    """A field of activity, named as in the national register of associations."""


@dataclass(frozen=True)
class Capability(Named):
    """What an association can do for others."""


REGION = Named("05", "Kanta-Häme", "Egentliga Tavastland", "Kanta-Häme")

MUNICIPALITIES = (
    Municipality("061", "Forssa", "Forssa", "Forssa", Tile(2, 2)),
    Municipality("082", "Hattula", "Hattula", "Hattula", Tile(1, 3)),
    Municipality("086", "Hausjärvi", "Hausjärvi", "Hausjärvi", Tile(2, 4)),
    Municipality("103", "Humppila", "Humppila", "Humppila", Tile(1, 1)),
    Municipality("109", "Hämeenlinna", "Tavastehus", "Hämeenlinna", Tile(1, 4)),
    Municipality("165", "Janakkala", "Janakkala", "Janakkala", Tile(2, 3)),
    Municipality("169", "Jokioinen", "Jockis", "Jokioinen", Tile(2, 1)),
    Municipality("433", "Loppi", "Loppi", "Loppi", Tile(3, 3)),
    Municipality("694", "Riihimäki", "Riihimäki", "Riihimäki", Tile(3, 4)),
    Municipality("834", "Tammela", "Tammela", "Tammela", Tile(3, 2)),
    Municipality("981", "Ypäjä", "Ypäjä", "Ypäjä", Tile(3, 1)),
)

SUB_REGIONS = (
    SubRegion(
        "hameenlinna",
        "Hämeenlinnan seutu",
        "Tavastehus ekonomiska region",
        "Hämeenlinna sub-region",
        ("082", "109", "165"),
    ),
    SubRegion(
        "riihimaki",
        "Riihimäen seutu",
        "Riihimäki ekonomiska region",
        "Riihimäki sub-region",
        ("086", "433", "694"),
    ),
    SubRegion(
        "forssa",
        "Forssan seutu",
        "Forssa ekonomiska region",
        "Forssa sub-region",
        ("061", "103", "169", "834", "981"),
    ),
)

SECTORS = (
    Sector("trade-unions", "Ammattiliitot ja osastot", "Fackförbund och avdelningar", "Trade unions"),
    Sector(
        "nature",
        "Luonto, ympäristö ja eläimet",
        "Natur, miljö och djur",
        "Nature, environment and animals",
    ),
    Sector("social-health", "Sosiaali- ja terveysala", "Social- och hälsovård", "Social and health"),
    Sector(
        "politics",
        "Politiikka, yhteiskunta ja ihmisoikeus",
        "Politik, samhälle och mänskliga rättigheter",
        "Politics, society and human rights",
    ),
    Sector(
        "village",
        "Kylä-, kotiseutu- ja asukastoiminta",
        "By-, hembygds- och invånarverksamhet",
        "Village, local heritage and residents",
    ),
    Sector(
        "safety",
        "Turvallisuus, pelastus, maanpuolustus",
        "Säkerhet, räddning, försvar",
        "Safety, rescue and defence",
    ),
    Sector(
        "international",
        "Kansainvälisyys ja hyväntekeväisyys",
        "Internationell verksamhet och välgörenhet",
        "International and charity",
    ),
    Sector("business", "Elinkeino ja työllisyys", "Näringsliv och sysselsättning", "Business and employment"),
    Sector("religion", "Uskonto ja maailmankatsomus", "Religion och livsåskådning", "Religion and world view"),
    Sector("culture", "Kulttuuri ja taide", "Kultur och konst", "Culture and arts"),
    Sector("sports", "Liikunta ja urheilu", "Motion och idrott", "Sports and exercise"),
    Sector("other", "Muut", "Övriga", "Others"),
)

CAPABILITIES = (
    Capability("first-aid", "ensiapu", "första hjälpen", "first aid"),
    Capability("transport", "kuljetus", "transport", "transport"),
    Capability("premises", "tilat", "lokaler", "premises"),
    Capability("food-aid", "ruoka-apu", "mathjälp", "food aid"),
    Capability("crisis-support", "kriisituki", "krisstöd", "crisis support"),
    Capability(
        "language-help",
        "tulkkaus ja kieliapu",
        "tolkning och språkhjälp",
        "interpreting and language help",
    ),
    Capability("volunteers", "vapaaehtoiset", "frivilliga", "volunteers"),
    Capability("equipment", "kalusto", "utrustning", "equipment"),
    Capability("information", "tiedon välitys", "informationsspridning", "passing on information"),
    Capability("communications", "viestiyhteydet", "kommunikation", "communications (radio)"),
    Capability("warm-room", "lämmin tila ja sähkö", "varmt utrymme och el", "warm room and power"),
    Capability("errands", "asiointiapu", "hjälp med ärenden", "errands"),
    Capability("child-care", "lastenhoito", "barnpassning", "child care"),
    Capability("accommodation", "majoitus", "inkvartering", "accommodation"),
    Capability("search", "etsintä", "eftersökning", "search"),
)


T = TypeVar("T", bound=Named)


def _squeezed(text: str) -> str:
    """Letters and digits only, in one case and one Unicode form: what two spellings of a name share."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def _by_spelling(things: Iterable[T]) -> dict[str, T]:
    return {_squeezed(word): thing for thing in things for word in (thing.code, thing.fi, thing.sv, thing.en)}


_municipalities = {place.code: place for place in MUNICIPALITIES}
_sub_regions = {place.code: place for place in SUB_REGIONS}
_sub_regions_by_municipality = {code: place for place in SUB_REGIONS for code in place.municipalities}
_sectors = {field.code: field for field in SECTORS}
_capabilities = {ability.code: ability for ability in CAPABILITIES}
_municipality_spellings = _by_spelling(MUNICIPALITIES)
_sector_spellings = _by_spelling(SECTORS)


def municipality(code: str) -> Municipality:
    """The municipality with exactly this code; raises KeyError for another."""
    return _municipalities[code]


def sub_region(code: str) -> SubRegion:
    """The sub-region with exactly this code; raises KeyError for another."""
    return _sub_regions[code]


def sub_region_of(municipality_code: str) -> SubRegion:
    """The sub-region to which a municipality belongs; raises KeyError for an unknown code."""
    return _sub_regions_by_municipality[municipality_code]


def sector(code: str) -> Sector:
    """The sector with exactly this code; raises KeyError for another."""
    return _sectors[code]


def capability(code: str) -> Capability:
    """The capability with exactly this code; raises KeyError for another."""
    return _capabilities[code]


def find_municipality(text: str) -> Municipality | None:
    """The municipality that a person or a spreadsheet means by this code or name, None when it is unknown.

    Case, spaces and punctuation are of no account, and a code may have lost its leading zeros.
    """
    spelling = _squeezed(text)
    if spelling.isdecimal():
        spelling = spelling.zfill(3)
    return _municipality_spellings.get(spelling)


def find_sector(text: str) -> Sector | None:
    """The sector meant by this code or name in any language, None when it is unknown; spelled as freely."""
    return _sector_spellings.get(_squeezed(text))


def names(locale: str) -> dict[str, str]:
    """Names of municipalities, sub-regions, sectors and capabilities by code, in a reader's language."""
    return {thing.code: thing.name(locale) for thing in (*MUNICIPALITIES, *SUB_REGIONS, *SECTORS, *CAPABILITIES)}


def options(things: Iterable[Named], locale: str) -> list[tuple[str, str]]:
    """Code and name of each, in a reader's language, as the options of a select."""
    return [(thing.code, thing.name(locale)) for thing in things]
