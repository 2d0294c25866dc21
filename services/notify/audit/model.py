"""Audit model: what the staff can do here that is written down."""

from collections.abc import Mapping
from enum import StrEnum

from shared.audit import Book
from shared.i18n import N_


class Act(StrEnum):
    """What the staff can do that is written down."""

    GUIDANCE_SUBMITTED = "guidance_submitted"
    CORRECTION_SUBMITTED = "correction_submitted"
    CORRECTION_DISCARDED = "correction_discarded"
    GUIDANCE_RELEASED = "guidance_released"
    GUIDANCE_RELEASED_ALONE = "guidance_released_alone"
    GUIDANCE_CORRECTED = "guidance_corrected"
    GUIDANCE_WITHDRAWN = "guidance_withdrawn"
    RELEASE_PLANNED = "release_planned"
    RELEASE_TAKEN_BACK = "release_taken_back"
    STANDING_SUBMITTED = "standing_submitted"
    STANDING_DISCARDED = "standing_discarded"
    STANDING_APPROVED = "standing_approved"
    STANDING_WITHDRAWN = "standing_withdrawn"
    SENDING_RESUMED = "sending_resumed"
    SUBSCRIBERS_IMPORTED = "subscribers_imported"
    SUBSCRIBERS_EXPORTED = "subscribers_exported"
    PERSON_ERASED = "person_erased"
    WEBHOOK_MADE = "webhook_made"
    WEBHOOK_CHANGED = "webhook_changed"
    SECRET_RENEWED = "webhook_secret_renewed"  # noqa: S105 - the name of an act
    WEBHOOK_REMOVED = "webhook_removed"
    AUDIT_EXPORTED = "audit_exported"


SENTENCES: Mapping[str, str] = {
    Act.GUIDANCE_SUBMITTED: N_("asked for the approval of guidance"),
    Act.CORRECTION_SUBMITTED: N_("asked for the approval of a correction"),
    Act.CORRECTION_DISCARDED: N_("discarded a correction"),
    Act.GUIDANCE_RELEASED: N_("approved and released guidance"),
    Act.GUIDANCE_RELEASED_ALONE: N_("released guidance alone, in an emergency"),
    Act.GUIDANCE_CORRECTED: N_("approved and released a correction"),
    Act.GUIDANCE_WITHDRAWN: N_("approved the withdrawal of guidance"),
    Act.RELEASE_PLANNED: N_("approved guidance for a later moment"),
    Act.RELEASE_TAKEN_BACK: N_("took a planned release back"),
    Act.STANDING_SUBMITTED: N_("asked for the approval of a model or checklist"),
    Act.STANDING_DISCARDED: N_("discarded the text of a model or checklist"),
    Act.STANDING_APPROVED: N_("approved a model or checklist for the public page"),
    Act.STANDING_WITHDRAWN: N_("approved the withdrawal of a model or checklist"),
    Act.SENDING_RESUMED: N_("let a paused sending go on"),
    Act.SUBSCRIBERS_IMPORTED: N_("imported a list of subscribers"),
    Act.SUBSCRIBERS_EXPORTED: N_("exported the subscribers"),
    Act.PERSON_ERASED: N_("erased a person"),
    Act.WEBHOOK_MADE: N_("made a webhook"),
    Act.WEBHOOK_CHANGED: N_("changed a webhook"),
    Act.SECRET_RENEWED: N_("renewed the secret of a webhook"),
    Act.WEBHOOK_REMOVED: N_("removed a webhook"),
    Act.AUDIT_EXPORTED: N_("exported the audit"),
}
"""Each act as the page tells it after the name of the one who did it."""

DETAILS = {
    "realm": N_("exercise"),
    "number": N_("version"),
    "reason": N_("reason"),
    "release": N_("to be released"),
    "recipients": N_("recipients"),
    "rows": N_("rows"),
    "new": N_("new"),
    "changed": N_("changed"),
    "letters": N_("letters that waited"),
    "name": N_("name"),
}
"""The name of each detail."""

BOOK = Book("/notify/audit", SENTENCES, DETAILS)
