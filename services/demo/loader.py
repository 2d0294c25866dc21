"""Loads the demo region at the first start, and tells how to sign in."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from services.demo.abilities import DemoMore, demo_more, demo_networks
from services.demo.registry import demo_associations, demo_people, demo_subscribers, write_csv
from services.demo.standing import load_standing
from services.intake.access.model import PersonEntry
from services.intake.access.store import AccessStore
from services.intake.editing.store import EditingStore, Supplement
from services.intake.networks.model import Group
from services.intake.networks.store import NetworkStore
from services.intake.register_file.store import RegisterFileStore
from services.intake.register_file.table_file import read_table
from services.intake.registry.model import Ability, Card, Plan, Wanted
from services.intake.registry.store import RegistryStore
from services.local import Running
from services.notify.standing.store import StandingStore
from services.notify.subscribers.model import Audience, Basis, ImportedSubscriber
from services.notify.subscribers.store import SubscriberStore
from services.status.association.model import Filter
from services.status.association.store import AssociationStore
from shared import region
from shared.house import House
from shared.i18n import Locale

SEED = 2026
LINK_VALID = timedelta(hours=12)


async def prepare(running: Running, *, load: bool) -> Sequence[str]:
    """Load what is missing of the demo region if wanted; the lines to print once everything runs."""
    registry: RegistryStore = running.apps["intake"].state.registry
    access: AccessStore = running.apps["intake"].state.access
    inbound = running.settings.inbound
    lines = ["", "Valmius is running."]
    if load and (await registry.find(Wanted())).count == 0:
        await _load_registry(running)
        await _load_more(running)
        await _load_subscribers(running.apps["notify"].state.subscribers)
        await _load_people(access, running.apps["notify"].state.standing)
        await _known_to_status(running, (await registry.find(Wanted())).count)
        lines.append("The demo region is loaded: invented associations, the region's real totals.")
    lines += [
        "",
        f"  Public page   {running.address}/",
        f"  Staff         {running.address}/situations",
        f"  Caught mail   {running.mail_address}/",
        f"  Replies       {inbound.protocol}://{inbound.host}:{inbound.port} (answers to letters, by mail)",
        "",
    ]
    if load:
        lines.append("Sign in (each link once, in any browser, within 12 hours):")
        for person in demo_people():
            link = await access.operator_link(person.email, LINK_VALID)
            lines.append(f"  {', '.join(person.roles):18}{person.name:20}{link}")
    lines += ["", "Ctrl-C stops it; the next start finds everything again."]
    return lines


async def _load_people(access: AccessStore, standing: StandingStore) -> None:
    """The staff, and what an editor and an approver of it keep on the public page."""
    known: dict[str, UUID] = {}
    for person in demo_people():
        entry = PersonEntry(
            name=person.name, email=person.email, roles=frozenset(person.roles), language=person.language
        )
        known |= dict.fromkeys(map(str, person.roles), await access.add_person(entry))
    await load_standing(standing, writer=known["editor"], approver=known["approver"])


async def _known_to_status(running: Running, count: int) -> None:
    """Return when status has heard of so many associations: a round opened before would ask fewer."""
    associations: AssociationStore = running.apps["status"].state.associations
    everybody = Filter(
        tuple(place.code for place in region.MUNICIPALITIES), tuple(sector.code for sector in region.SECTORS)
    )
    house: House = running.apps["status"].state.house
    written = asyncio.Event()
    house.database.after_commit(written.set)
    while await associations.count(everybody) < count:
        await written.wait()
        written.clear()


async def _load_registry(running: Running) -> None:
    """The way of any registry: written as a CSV file, read back and imported."""
    files: RegisterFileStore = running.apps["intake"].state.register_files
    path = running.settings.var / "demo" / "registry.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(demo_associations(SEED), path)
    with path.open("rb") as source:
        reports = [report async for report in files.import_rows(read_table(source))]
    if reports[-1].bad:
        raise ValueError(f"{reports[-1].bad} rows of the demo registry are bad: {reports[-1].errors[0]}")


async def _load_more(running: Running) -> None:
    """What no list of associations tells: networks, capabilities, plans, and who else answers."""
    networks: NetworkStore = running.apps["intake"].state.networks
    editing: EditingStore = running.apps["intake"].state.editing
    for network in demo_networks():
        await networks.add(Group(network.names, network.parent), by=None, code=network.code)
    await editing.supplement(_supplement(more) for more in demo_more(demo_associations(SEED), SEED))


def _supplement(more: DemoMore) -> Supplement:
    return Supplement(
        register_number=more.register_number,
        plan=Plan(more.plan),
        plan_year=more.plan_year,
        networks=more.networks,
        abilities=tuple(Ability(one.capability, one.amount) for one in more.abilities),
        contacts=tuple(Card(one.name, one.email, one.phone, one.best_time) for one in more.contacts),
    )


async def _load_subscribers(subscribers: SubscriberStore) -> None:
    await subscribers.import_many(
        [
            ImportedSubscriber(
                email=subscriber.email,
                audience=Audience(subscriber.audience),
                municipalities=subscriber.municipalities,
                locale=Locale(subscriber.language),
                basis=Basis.CONSENT if subscriber.audience.value == Audience.RESIDENTS.value else Basis.OPERATIONAL,
            )
            for subscriber in demo_subscribers(SEED)
        ]
    )
