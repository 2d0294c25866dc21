"""What the tests of reports and partner links share: a note, and a small situation with answers."""

from uuid import UUID

from services.status.app import HERE
from services.status.report.model import Facts, Note, Report, compile_report
from services.status.report.press import Press
from services.status.situation.model import Round, Situation
from shared.ids import new_id
from shared.realm import LIVE, Realm
from shared.settings import Settings
from shared.web import Pages
from tests.fakes import STORM_EVENING
from tests.status.people import LIAISON, Desk, association, round_of, storm

EXERCISE = Realm("ex-winter1")


def note(summary: str = "", *, report_id: UUID | None = None) -> Note:
    """A note of the liaison."""
    return Note(report_id or new_id(), summary, None, LIAISON, ())


def report_of(facts: Facts, *, number: int = 1, previous: Report | None = None, summary: str = "") -> Report:
    """A report of a storm with these figures."""
    return compile_report(storm().situation, facts, note(summary), number=number, previous=previous, now=STORM_EVENING)


def press(settings: Settings) -> Press:
    """Real pages, without an application."""
    return Press(Pages(settings, HERE / "templates"))


async def asked(one: Desk, *names: str, realm: Realm = LIVE) -> Round:
    """A storm is open, in this realm, and associations of these names are asked."""
    for name in names:
        await one.app.state.readiness.know(
            association(name, networks=("silta",), capabilities=("transport", "first-aid"))
        )
    opened = storm(realm=realm)
    await one.app.state.situations.open(opened)
    round_ = await one.app.state.rounds.open(opened.situation, round_of(opened.situation))
    assert isinstance(round_, Round)
    return round_


async def situation_of(one: Desk, round_: Round) -> Situation:
    """The situation in which a round was opened."""
    found: Situation | None = await one.app.state.situations.get(round_.situation_id)
    assert found is not None
    return found
