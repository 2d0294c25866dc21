"""Reminder model: the letter that asks once more."""

from uuid import UUID, uuid5

from services.intake.invitation.model import AskedRound, Candidate, Doors, Invited, letter
from shared.events.notify import LetterRequested
from shared.events.status import RoundReminded


def recipient_of(invitation_id: UUID, number: int) -> UUID:
    """Whom a reminder is for: each association once for each reminder, whoever of its contacts gets it."""
    return uuid5(invitation_id, f"reminder {number}")


def reminder(
    event: RoundReminded, asked: AskedRound, invited: Invited, candidate: Candidate, *, doors: Doors
) -> LetterRequested:
    """The wish for the letter that reminds this contact; the later the reminder, the shorter the letter."""
    wish = letter(asked, invited, candidate, doors=doors, now=event.happened_at)
    return wish.model_copy(
        update={
            "kind": "reminder",
            "letter_id": uuid5(event.round_id, f"reminder {event.number}"),
            "recipient_id": recipient_of(invited.invitation_id, event.number),
            "shared": {**wish.shared, "number": str(event.number), "last": "yes" if event.last else ""},
        }
    )
