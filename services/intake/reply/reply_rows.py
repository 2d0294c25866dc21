"""Reply rows: how letters that come are written, in one transaction with the answers that they are. Synchronous."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, func, insert, select, update
from sqlmodel import col

from services.intake.checkin.model import Accepted, Answer, Refused, Repeated
from services.intake.checkin.store import CheckInRow, put
from services.intake.invitation.model import AskedRound, reply_key
from services.intake.invitation.store import Invitation, InvitationToken, RoundRow
from services.intake.registry.store import Association, Contact
from services.intake.reply.model import TOLD_AT_MOST, TOLD_WITHIN, Arrived, Asked, ReplyState, Standing, Why, standing
from services.intake.reply.schema import ReplyRow
from shared.db import insert_into
from shared.events.intake import Channel
from shared.events.notify import UrgentLetterRequested
from shared.ids import digest, new_token
from shared.outbox import announce_all
from shared.realm import Realm


@dataclass(frozen=True)
class Box:
    """The address of an invitation, to whom it was given, and what is known of the association; `contacts` are its
    contacts by their addresses in small letters."""

    asked: Asked
    association: str
    contact_id: UUID | None
    position: int
    address: str | None
    language: str
    contacts: Mapping[str, UUID]

    def writer(self, author: str) -> UUID | None:
        """Who wrote a letter that names this address as its author's: the contact who has it, since a letter may be
        passed on among them; else the one to whom ours was sent."""
        return self.contacts.get(author, self.contact_id)


def take_all(
    connection: Connection, arrivals: Sequence[Arrived], *, now: datetime, public_url: str
) -> Sequence[Standing | None]:
    """Keep these letters in the connection's transaction, with the answers that they are and what is told of them.

    What became of each, in order: None for one that is here already, or whose address is unknown.
    """
    boxes = _boxes(connection, {arrived.door for arrived in arrivals})
    told = _told_lately(connection, boxes, now)
    outcomes: list[Standing | None] = []
    for arrived in arrivals:
        box = boxes.get(arrived.door)
        outcomes.append(_keep(connection, arrived, box, told=told, public_url=public_url) if box else None)
    return outcomes


def _keep(
    connection: Connection, arrived: Arrived, box: Box, *, told: Counter[UUID], public_url: str
) -> Standing | None:
    stands = standing(arrived, box.asked)
    answering = stands.state is not ReplyState.AUTOMATIC and bool(box.address)
    tells = answering and told[box.asked.invitation_id] < TOLD_AT_MOST
    if not _insert(connection, arrived, box, stands=stands, told=tells):
        return None
    if stands.said is not None:
        answer = Answer(
            door=box.asked.invitation_id,
            form_id=uuid5(arrived.reply_id, "reply"),
            said=stands.said,
            at=arrived.received_at,
            channel=Channel.EMAIL,
            contact_id=box.writer(arrived.letter.author),
            brief=True,
        )
        stands = _recorded(connection, arrived.reply_id, stands, outcome=put(connection, [answer])[0])
    if tells:
        told[box.asked.invitation_id] += 1
        letter = _letter(connection, arrived, box, stands=stands, public_url=public_url)
        announce_all(connection, [letter])
    return stands


def _letter(
    connection: Connection, arrived: Arrived, box: Box, *, stands: Standing, public_url: str
) -> UrgentLetterRequested:
    """The wish for the letter that tells what became of this one, with a link and an address of its own."""
    token = new_token()
    recipient_id = uuid5(arrived.reply_id, "told")
    values = {
        "token_hash": digest(token),
        "invitation_id": box.asked.invitation_id,
        "contact_id": box.contact_id,
        "position": box.position,
        "recipient_id": recipient_id,
        "reply_hash": digest(reply_key(token)),
    }
    connection.execute(insert(InvitationToken), values)
    late = stands.why is Why.CLOSED
    outcome = stands.said.status.value if stands.said else "late" if late else "waiting"
    return UrgentLetterRequested(
        happened_at=arrived.received_at,
        realm=box.asked.asked.realm,
        letter_id=arrived.reply_id,
        recipient_id=recipient_id,
        kind="reply_recorded",
        address=box.address or "",
        locale=box.language,
        not_after=arrived.received_at + TOLD_WITHIN,
        shared={"outcome": outcome},
        personal={
            "association": box.association,
            "link": f"{public_url}/c/{token}",
            "reply": reply_key(token),
        },
    )


def _boxes(connection: Connection, doors: set[bytes]) -> dict[bytes, Box]:
    """The addresses with these keys' hashes that are known and not revoked."""
    columns: tuple[Any, ...] = (
        col(InvitationToken.reply_hash),
        col(InvitationToken.contact_id),
        col(InvitationToken.position),
        col(Invitation.id).label("invitation_id"),
        col(RoundRow.round_id),
        col(RoundRow.situation_id),
        col(RoundRow.realm),
        col(RoundRow.closes_at),
        col(RoundRow.closed_at),
        col(Association.id).label("association_id"),
        col(Association.name),
        col(Contact.email),
        col(Contact.language),
        col(CheckInRow.reported_at),
    )
    found = connection.execute(
        select(*columns)
        .select_from(InvitationToken)
        .join(Invitation, col(Invitation.id) == col(InvitationToken.invitation_id))
        .join(RoundRow, col(RoundRow.round_id) == col(Invitation.round_id))
        .join(Association, col(Association.id) == col(Invitation.association_id))
        .outerjoin(Contact, col(Contact.id) == col(InvitationToken.contact_id))
        .outerjoin(CheckInRow, col(CheckInRow.id) == col(Invitation.checkin_id))
        .where(col(InvitationToken.reply_hash).in_(doors), col(InvitationToken.revoked_at).is_(None))
    )
    rows = list(found)
    contacts = _addresses(connection, {row.association_id for row in rows})
    return {row.reply_hash: _box(row, contacts[row.association_id]) for row in rows}


def _addresses(connection: Connection, association_ids: set[UUID]) -> defaultdict[UUID, dict[str, UUID]]:
    """The contacts of these associations by their addresses; where two share one, the first who is asked."""
    columns = (col(Contact.association_id), col(Contact.email), col(Contact.id))
    of_them = col(Contact.association_id).in_(sorted(association_ids)) & col(Contact.email).is_not(None)
    contacts: defaultdict[UUID, dict[str, UUID]] = defaultdict(dict)
    for row in connection.execute(select(*columns).where(of_them).order_by(col(Contact.position))):
        contacts[row.association_id].setdefault(row.email.lower(), row.id)
    return contacts


def _box(row: Any, contacts: Mapping[str, UUID]) -> Box:
    asked = AskedRound(row.round_id, row.situation_id, Realm(row.realm), {}, row.closes_at, row.closed_at)
    return Box(
        Asked(row.invitation_id, asked, row.reported_at),
        association=row.name,
        contact_id=row.contact_id,
        position=row.position,
        address=row.email,
        language=row.language or "fi",
        contacts=contacts,
    )


def _told_lately(connection: Connection, boxes: dict[bytes, Box], now: datetime) -> Counter[UUID]:
    """How many letters of each invitation were answered within TOLD_WITHIN."""
    counted = connection.execute(
        select(col(ReplyRow.invitation_id), func.count().label("told"))
        .where(
            col(ReplyRow.invitation_id).in_({box.asked.invitation_id for box in boxes.values()}),
            col(ReplyRow.told).is_(True),
            col(ReplyRow.received_at) > now - TOLD_WITHIN,
        )
        .group_by(col(ReplyRow.invitation_id))
    )
    return Counter({row.invitation_id: row.told for row in counted})


def _insert(connection: Connection, arrived: Arrived, box: Box, *, stands: Standing, told: bool) -> bool:
    """Insert the letter's row; False if the same message came to the same invitation before."""
    letter = arrived.letter
    values = {
        "id": arrived.reply_id,
        "realm": box.asked.asked.realm.id,
        "invitation_id": box.asked.invitation_id,
        "contact_id": box.writer(letter.author),
        "received_at": arrived.received_at,
        "message_id": letter.message_id,
        "subject": letter.subject,
        "text": letter.text,
        "words": letter.words,
        "attachments": [asdict(attachment) for attachment in letter.attachments],
        "size": letter.size,
        "state": stands.state.value,
        "why": stands.why.value,
        "status": stands.said.status.value if stands.said else None,
        "told": told,
    }
    statement = insert_into(connection.dialect.name, ReplyRow).on_conflict_do_nothing().returning(col(ReplyRow.id))
    return connection.execute(statement, values).first() is not None


def _recorded(
    connection: Connection, reply_id: UUID, stands: Standing, *, outcome: Accepted | Repeated | Refused
) -> Standing:
    """Note which answer the letter became; one that was refused waits for a person."""
    this = update(ReplyRow).where(col(ReplyRow.id) == reply_id)
    if isinstance(outcome, Refused):
        connection.execute(this.values(state=ReplyState.WAITING.value, why=Why.CLOSED.value, status=None))
        return Standing(ReplyState.WAITING, Why.CLOSED)
    connection.execute(this.values(checkin_id=outcome.checkin.checkin_id))
    return stands
