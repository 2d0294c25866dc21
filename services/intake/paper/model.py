"""Paper model: the link on a sheet, and what a typed row says."""

from base64 import b32encode
from dataclasses import dataclass
from uuid import UUID, uuid5

from services.intake.checkin.model import Said
from shared.events.intake import OperatingStatus
from shared.i18n import N_
from shared.ids import derived_token, digest

PURPOSE = "paper"
TOKEN_LENGTH = 20
NOTE_LIMIT = 200
"""Characters of a message from paper: a page of fifty of them stays within what a form may send."""

BOXES = {"1": OperatingStatus.NORMAL, "2": OperatingStatus.LIMITED, "3": OperatingStatus.SUSPENDED}
"""The boxes on paper, by their number."""


def paper_token(secret: str, invitation_id: UUID) -> str:
    """The token on this association's sheet, the same each time the sheet is made: 100 bits as 20 letters and digits
    that can be told apart in print (RFC 4648's base 32, small), short enough to be typed."""
    return b32encode(digest(derived_token(secret, PURPOSE, invitation_id))).decode().lower()[:TOKEN_LENGTH]


def paper_recipient(invitation_id: UUID) -> UUID:
    """Whom the link on paper is for: nobody in person."""
    return uuid5(invitation_id, PURPOSE)


def paper_form(invitation_id: UUID) -> UUID:
    """The form that a sheet is: the same row typed twice is one answer."""
    return uuid5(invitation_id, "typed from paper")


def in_fours(token: str) -> str:
    """The token as people copy it: four characters at a time."""
    return " ".join(token[start : start + 4] for start in range(0, len(token), 4))


@dataclass(frozen=True)
class Typed:
    """What was typed into a row: the number of the marked box, and the message."""

    box: str = ""
    note: str = ""

    @property
    def empty(self) -> bool:
        """True if the row was left as it was."""
        return not self.box and not self.note

    @property
    def wrong(self) -> str:
        """What must be mended; empty if nothing."""
        if self.box not in BOXES:
            return N_("Type 1, 2 or 3. This row is not recorded yet.")
        if len(self.note) > NOTE_LIMIT:
            return N_("The message is too long. This row is not recorded yet.")
        return ""

    def said(self) -> Said:
        """The answer, if nothing is wrong."""
        return Said(status=BOXES[self.box], note=self.note)
