"""What the demonstration's associations can do, the networks to which they belong, and who else answers for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from services.demo import names
from services.demo.registry import DemoAssociation

SECOND_CONTACTS = 0.3
ABLE = 0.45
PLANS = {"unknown": 0.40, "none": 0.35, "draft": 0.13, "made": 0.12}
"""How often which; few had a plan in the spring of 2020."""

FIRST_YEAR, LAST_YEAR = 2019, 2026

MOST_PIECES = {
    "transport": 6,
    "premises": 3,
    "volunteers": 40,
    "equipment": 8,
    "first-aid": 12,
    "accommodation": 30,
    "warm-room": 2,
    "communications": 6,
    "search": 20,
}
"""How many there are at most, of what is counted."""

EVERYWHERE = ("volunteers", "premises", "information")
AT_HOME_IN = {
    "social-health": ("first-aid", "crisis-support", "food-aid", "errands", "language-help"),
    "village": ("warm-room", "premises", "transport", "equipment", "food-aid", "search"),
    "safety": ("first-aid", "search", "communications", "equipment", "transport", "warm-room"),
    "international": ("language-help", "food-aid", "accommodation"),
    "religion": ("crisis-support", "premises", "food-aid", "accommodation"),
    "sports": ("premises", "accommodation", "child-care", "transport"),
    "nature": ("search", "equipment"),
    "culture": ("premises", "child-care"),
    "trade-unions": ("information",),
    "politics": ("information", "errands"),
    "business": ("equipment", "transport"),
}
BEST_TIMES = ("arkisin klo 16 jälkeen", "aamupäivisin", "iltaisin", "milloin vain")


@dataclass(frozen=True)
class DemoNetwork:
    """An invented network; `parent` is the code of the one of which it is a part."""

    code: str
    names: dict[str, str]
    parent: str = ""


@dataclass(frozen=True)
class DemoAbility:
    """What an association can do; `amount` None where nobody counted."""

    capability: str
    amount: int | None


@dataclass(frozen=True)
class DemoContact:
    """Who else answers for an association."""

    name: str
    email: str
    phone: str
    best_time: str


@dataclass(frozen=True)
class DemoMore:
    """What is known of an association beside its line in the list."""

    register_number: str
    plan: str
    plan_year: int | None
    networks: tuple[str, ...]
    abilities: tuple[DemoAbility, ...]
    contacts: tuple[DemoContact, ...]


def demo_networks() -> tuple[DemoNetwork, ...]:
    """SILTA, three invented networks below it, and two of their own."""
    return (
        DemoNetwork("silta", {"fi": "SILTA-verkosto", "sv": "Nätverket SILTA", "en": "SILTA network"}),
        DemoNetwork("silta-kylat", {"fi": "SILTA Kylät", "sv": "SILTA Byar", "en": "SILTA Villages"}, "silta"),
        DemoNetwork("silta-arki", {"fi": "SILTA Arki", "sv": "SILTA Vardag", "en": "SILTA Daily life"}, "silta"),
        DemoNetwork("silta-turva", {"fi": "SILTA Turva", "sv": "SILTA Trygghet", "en": "SILTA Safety"}, "silta"),
        DemoNetwork("seurakunnat", {"fi": "Seurakuntaverkosto", "sv": "Församlingsnätverket", "en": "Parishes"}),
        DemoNetwork("seurat", {"fi": "Liikuntaseurat", "sv": "Idrottsföreningarna", "en": "Sports clubs"}),
    )


_NETWORKS = {
    "village": (("silta", 0.5), ("silta-kylat", 0.7)),
    "social-health": (("silta", 0.6), ("silta-arki", 0.6)),
    "safety": (("silta", 0.4), ("silta-turva", 0.7)),
    "religion": (("seurakunnat", 0.8),),
    "sports": (("seurat", 0.3),),
    "international": (("silta-arki", 0.2),),
}


def demo_more(associations: Sequence[DemoAssociation], seed: int) -> tuple[DemoMore, ...]:
    """What else is known of each of them, the same for the same seed."""
    rng = Random(f"more {seed}")  # noqa: S311 - a repeatable invention, no secret
    return tuple(_more(association, rng) for association in associations)


def _more(association: DemoAssociation, rng: Random) -> DemoMore:
    [plan] = rng.choices(list(PLANS), list(PLANS.values()))
    belongs = _NETWORKS.get(association.sector, ())
    return DemoMore(
        register_number=association.register_number,
        plan=plan,
        plan_year=rng.randint(FIRST_YEAR, LAST_YEAR) if plan == "made" else None,
        networks=tuple(code for code, share in belongs if rng.random() < share),
        abilities=_abilities(association.sector, rng) if rng.random() < ABLE else (),
        contacts=(_second(association, rng),) if rng.random() < SECOND_CONTACTS else (),
    )


def _abilities(sector: str, rng: Random) -> tuple[DemoAbility, ...]:
    known = tuple(dict.fromkeys((*AT_HOME_IN.get(sector, ()), *EVERYWHERE)))
    chosen = sorted(rng.sample(known, rng.randint(1, min(3, len(known)))))
    return tuple(DemoAbility(code, _amount(code, rng)) for code in chosen)


def _amount(capability: str, rng: Random) -> int | None:
    most = MOST_PIECES.get(capability)
    return rng.randint(1, most) if most and rng.random() < 0.8 else None


def _second(association: DemoAssociation, rng: Random) -> DemoContact:
    before, at = association.email.split("@")
    return DemoContact(
        name=names.person_name(rng, association.language),
        email=f"{before}-2@{at}",
        phone=association.phone.replace("000", "001", 1),
        best_time=rng.choice(BEST_TIMES) if rng.random() < 0.5 else "",
    )
