"""Columns (format): what the columns of a register file mean, by their Finnish, Swedish and English headings."""

from collections.abc import Iterator, Mapping

from services.intake.register_file.model import CONTACTS
from shared.records import Vocabulary

ASSOCIATION_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "name": ("Nimi", "Yhdistyksen nimi", "Yhdistys", "Namn", "Föreningens namn", "Förening", "Name", "Association"),
    "register_number": (
        *("Rekisterinumero", "Rekisterinro", "Rek.nro", "Yhdistyksen rekisterinumero"),
        *("Registernummer", "Register number", "Registration number"),
    ),
    "municipality": ("Kotipaikka", "Kunta", "Kotikunta", "Hemort", "Kommun", "Hemkommun", "Municipality", "Domicile"),
    "sector": ("Toimiala", "Verksamhetsområde", "Bransch", "Sector", "Field of activity"),
    "language": ("Kieli", "Asiointikieli", "Språk", "Language"),
    "networks": ("Verkostot", "Verkosto", "Nätverk", "Networks", "Network"),
    "capabilities": ("Kyvykkyydet", "Kyvykkyys", "Förmågor", "Förmåga", "Capabilities", "Capability"),
    "plan": ("Valmiussuunnitelma", "Beredskapsplan", "Preparedness plan"),
}
CONTACT_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "contact_name": ("Yhteyshenkilö", "Yhteyshenkilön nimi", "Kontaktperson", "Contact", "Contact person"),
    "email": ("Sähköposti", "Sähköpostiosoite", "E-post", "E-postadress", "Email", "E-mail address"),
    "phone": ("Puhelin", "Puhelinnumero", "Puh.", "Telefon", "Telefonnummer", "Phone", "Phone number", "Telephone"),
    "best_time": ("Paras soittoaika", "Soittoaika", "Bästa tid att ringa", "Best time to call"),
    "contact_language": (
        *("Yhteyshenkilön kieli", "Kontaktpersonens språk", "Language of the contact", "Contact's language"),
    ),
}
SECOND_NAMES = ("Varayhteyshenkilö", "Ersättare", "Deputy contact")
REQUIRED = ("name", "register_number", "municipality")

_ASSOCIATION_LIMITS = {
    "name": 200,
    "register_number": 20,
    "municipality": 60,
    "sector": 100,
    "language": 20,
    "networks": 1000,
    "capabilities": 1000,
    "plan": 20,
}
_CONTACT_LIMITS = {"contact_name": 100, "email": 254, "phone": 40, "best_time": 100, "contact_language": 20}


def contact_field(name: str, place: int) -> str:
    """The field of the contact at this position, from 1: the first has no number."""
    return name if place == 1 else f"{name}_{place}"


def _headings() -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from ASSOCIATION_HEADINGS.items()
    for place in range(1, CONTACTS + 1):
        for name, spellings in CONTACT_HEADINGS.items():
            numbered = [text for known in spellings for text in (f"{known} {place}", f"{place}. {known}")]
            more = SECOND_NAMES if (name, place) == ("contact_name", 2) else ()
            yield contact_field(name, place), (*(spellings if place == 1 else ()), *numbered, *more)


HEADINGS: Mapping[str, tuple[str, ...]] = dict(_headings())
"""The headings under which each field is known; the first is ours."""

LIMITS: Mapping[str, int] = {
    **_ASSOCIATION_LIMITS,
    **{
        contact_field(name, place): limit for place in range(1, CONTACTS + 1) for name, limit in _CONTACT_LIMITS.items()
    },
}
"""Characters at most."""

VOCABULARY = Vocabulary(HEADINGS, REQUIRED)
