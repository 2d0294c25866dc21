"""Check-in model: whether an answer is taken, and what is recorded of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from services.intake.invitation.model import AskedRound
from services.intake.registry.model import Plan
from shared.events.intake import (
    REHEARSED_PER_EVENT,
    Amount,
    AnswersRehearsed,
    AssociationDeclined,
    Channel,
    CheckInReceived,
    OperatingStatus,
    RehearsedAnswer,
)
from shared.i18n import HELSINKI, N_, Locale, number
from shared.realm import Realm
from shared.region import CAPABILITIES

NOTE_LIMIT = 500
AMOUNT_LIMIT = 1_000_000

STATUS_LABELS = {
    OperatingStatus.NORMAL: N_("We operate normally"),
    OperatingStatus.LIMITED: N_("We operate in part"),
    OperatingStatus.SUSPENDED: N_("Our activity is suspended"),
}

CHANNEL_LABELS = {
    Channel.LINK: N_("By link"),
    Channel.EMAIL: N_("By email"),
    Channel.PHONE: N_("By phone"),
    Channel.PAPER: N_("On paper"),
    Channel.API: N_("From the system of a partner"),
}
"""How an answer came, told to the staff."""

_CAPABILITIES = {capability.code: capability for capability in CAPABILITIES}


class Until(StrEnum):
    """How long the situation is thought to last."""

    NOT_KNOWN = ""
    TODAY = "today"
    TOMORROW = "tomorrow"
    THIS_WEEK = "week"

    def moment(self, now: datetime) -> datetime | None:
        """The last minute of that day in Finland (of the week: of its Sunday), or None when it is not known."""
        today = now.astimezone(HELSINKI).date()
        days = {Until.TODAY: 0, Until.TOMORROW: 1, Until.THIS_WEEK: 6 - today.weekday()}
        if self not in days:
            return None
        return datetime.combine(today + timedelta(days=days[self]), time(23, 59), HELSINKI).astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What an association says of itself; `plan` is whether it has a preparedness plan, None where that is not said."""

    status: OperatingStatus
    until: datetime | None = None
    note: str = ""
    offers: tuple[Amount, ...] = ()
    needs: tuple[Amount, ...] = ()
    plan: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was submitted. `form_id` is the same when one form is sent twice.

    `door` is the hash of the link's token by which it came, or the invitation for which somebody else brought it:
    the post, or one of the staff, who is then `entered_by`. `contact_id` is who gave it, where the door does not tell.
    `brief` is what came by a way that can say no more than a status and a message.
    """

    door: bytes | UUID
    form_id: UUID
    said: Said
    at: datetime
    channel: Channel = Channel.LINK
    contact_id: UUID | None = None
    entered_by: UUID | None = None
    brief: bool = False

    def after(self, present: Said | None) -> Said:
        """What is said by it after the present answer: a brief one leaves in force what was offered and needed, and
        with the same status also how long that lasts."""
        if not self.brief or present is None:
            return self.said
        until = present.until if present.status is self.said.status else None
        return replace(self.said, offers=present.offers, needs=present.needs, until=until)


@dataclass(frozen=True)
class CheckIn:
    """An answer as it was recorded."""

    checkin_id: UUID
    form_id: UUID
    said: Said
    reported_at: datetime
    channel: Channel
    contact_id: UUID | None = None
    entered_by: UUID | None = None


@dataclass(frozen=True)
class Invited:
    """Where a link leads: the association asked in a round, the contact and the language, and its present answer."""

    invitation_id: UUID
    asked: AskedRound
    association_id: UUID
    association_name: str
    language: str
    revoked: bool
    contact_id: UUID | None = None
    present: CheckIn | None = None
    declined: bool = False

    def takes_answers(self, now: datetime) -> bool:
        """True while the link is good for answering."""
        return not self.revoked and self.asked.open(now)


class Reason(StrEnum):
    """Why an answer is not taken. Whoever sent it is told the same in every case."""

    UNKNOWN = "unknown link"
    REVOKED = "revoked link"
    CLOSED = "the round is closed"


@dataclass(frozen=True)
class Accepted:
    """The answer is recorded and told of."""

    invited: Invited
    checkin: CheckIn
    event: CheckInReceived


@dataclass(frozen=True)
class Repeated:
    """The same form was sent again: what it said is recorded already."""

    invited: Invited
    checkin: CheckIn


@dataclass(frozen=True)
class Refused:
    """The answer is not taken."""

    reason: Reason


def accept(answer: Answer, invited: Invited | None) -> Accepted | Repeated | Refused:
    """Decide on an answer.

    A form sent again is recognised by its id and content, against the present answer only: somebody who goes back in
    the browser and chooses otherwise, or chooses as at first once more, is heard each time.
    """
    if invited is None:
        return Refused(Reason.UNKNOWN)
    if not invited.takes_answers(answer.at):
        return Refused(Reason.REVOKED if invited.revoked else Reason.CLOSED)
    present = invited.present
    said = answer.after(present.said if present else None)
    if present is not None and (present.form_id, present.said) == (answer.form_id, said):
        return Repeated(invited, present)
    checkin = CheckIn(
        checkin_id=_checkin_id(answer, invited),
        form_id=answer.form_id,
        said=said,
        reported_at=answer.at,
        channel=answer.channel,
        contact_id=answer.contact_id or invited.contact_id,
        entered_by=answer.entered_by,
    )
    return Accepted(invited, checkin, _received(checkin, invited))


def decline(invited: Invited, now: datetime) -> AssociationDeclined | None:
    """What is told when an association says "not this time"; None where that says nothing new: it said so before, it
    has answered, or its link is not good any more."""
    if invited.declined or invited.present is not None or not invited.takes_answers(now):
        return None
    return AssociationDeclined(
        happened_at=now,
        realm=invited.asked.realm,
        association_id=invited.association_id,
        situation_id=invited.asked.situation_id,
        round_id=invited.asked.round_id,
    )


def plan_after(known: Plan, *, has_one: bool) -> Plan:
    """What the register knows of the preparedness plan once its association has said whether it has one.

    A plan that the register knows is not taken from it by a tick on a form: that is for the clerk, who sees both.
    """
    if has_one:
        return Plan.MADE
    return Plan.NONE if known is Plan.UNKNOWN else known


def _checkin_id(answer: Answer, invited: Invited) -> UUID:
    """The same for the same form after the same answer: two replicas that get it at once record one."""
    before = invited.present.checkin_id if invited.present else None
    return uuid5(invited.invitation_id, f"{answer.form_id} {answer.said} after {before}")


def _received(checkin: CheckIn, invited: Invited) -> CheckInReceived:
    return CheckInReceived(
        happened_at=checkin.reported_at,
        realm=invited.asked.realm,
        checkin_id=checkin.checkin_id,
        association_id=invited.association_id,
        situation_id=invited.asked.situation_id,
        round_id=invited.asked.round_id,
        status=checkin.said.status,
        reported_at=checkin.reported_at,
        channel=checkin.channel,
        until=checkin.said.until,
        offers=checkin.said.offers,
        needs=checkin.said.needs,
    )


def rehearsed(told: Sequence[CheckInReceived]) -> Iterator[AnswersRehearsed]:
    """What whoever counts exercises is told of these answers: those of each exercise together."""
    by_realm: defaultdict[Realm, list[CheckInReceived]] = defaultdict(list)
    for event in told:
        if not event.realm.live:
            by_realm[event.realm].append(event)
    for realm, events in by_realm.items():
        for begin in range(0, len(events), REHEARSED_PER_EVENT):
            part = events[begin : begin + REHEARSED_PER_EVENT]
            answers = tuple(
                RehearsedAnswer(association_id=event.association_id, reported_at=event.reported_at) for event in part
            )
            yield AnswersRehearsed(happened_at=part[0].happened_at, realm=realm, answers=answers)


def in_words(amounts: Iterable[Amount], locale: Locale) -> str:
    """Capabilities by their names, with how much where that was said: `ensiapu (3), kuljetus`."""
    return ", ".join(_one_in_words(one, locale) for one in amounts)


def _one_in_words(one: Amount, locale: Locale) -> str:
    known = _CAPABILITIES.get(one.capability)
    name = known.name(locale) if known else one.capability
    return f"{name} ({number(one.amount, locale)})" if one.amount else name
