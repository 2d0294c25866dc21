"""Filter form (format): the words of the register's filters, and the page that an address asks for."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from services.intake.registry.model import ContactState, Plan, network_name
from shared import region
from shared.i18n import N_, Locale, texts

CONTACT_STATES = {
    ContactState.UNCONFIRMED: N_("not confirmed yet"),
    ContactState.CONFIRMED: N_("confirmed"),
    ContactState.FAILED: N_("the last letter did not arrive"),
}
PLANS = {
    Plan.UNKNOWN: N_("Not known"),
    Plan.NONE: N_("No plan"),
    Plan.DRAFT: N_("A draft"),
    Plan.MADE: N_("Made"),
}
CONTACT_FILTERS = (
    (ContactState.CONFIRMED, N_("Some contact is confirmed")),
    (ContactState.UNCONFIRMED, N_("Some contact is not confirmed yet")),
    (ContactState.FAILED, N_("A letter to some contact did not arrive")),
    ("none", N_("No contact is known")),
)

Options = list[tuple[str, str]]


class Named(Protocol):
    """A network, as the register holds it."""

    code: str
    names: dict[str, str]
    retired: bool


def filters(locale: Locale, networks: Iterable[Named]) -> dict[str, Options]:
    """The options of each filter of the register, in the reader's language."""
    _ = texts(locale)
    return {
        "municipality": [("", _("Whole region")), *region.options(region.MUNICIPALITIES, locale)],
        "sub_region": [("", _("Whole region")), *region.options(region.SUB_REGIONS, locale)],
        "sector": [("", _("All sectors")), *region.options(region.SECTORS, locale)],
        "network": [("", _("All networks")), *network_options(networks, locale)],
        "capability": [("", _("Any capability")), *region.options(region.CAPABILITIES, locale)],
        "plan": [("", _("All")), *((plan.value, _(label)) for plan, label in PLANS.items())],
        "contact": [("", _("All")), *((str(state), _(label)) for state, label in CONTACT_FILTERS)],
        "retired": [("", _("In use")), ("retired", _("Retired")), ("all", _("Both"))],
    }


def network_options(networks: Iterable[Named], locale: Locale) -> Options:
    """Code and name of the networks that are not retired, by name."""
    present = [(one.code, network_name(one.names, locale)) for one in networks if not one.retired]
    return sorted(present, key=lambda option: option[1].casefold())


def page_number(asked: Mapping[str, str]) -> int:
    """The number of the page that an address asks for; 1 where it asks for none that can be."""
    page = asked.get("page", "")
    return max(1, int(page)) if page.isdecimal() and page.isascii() and len(page) < 7 else 1
