"""Audit model: what the staff can do here that is written down."""

from collections.abc import Mapping
from enum import StrEnum

from shared.audit import Book
from shared.i18n import N_


class Act(StrEnum):
    """What the staff can do that is written down."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    LINK_MADE = "sign_in_link_made"
    PERSON_ADDED = "person_added"
    PERSON_CHANGED = "person_changed"
    REGISTRY_IMPORTED = "registry_imported"
    SESSIONS_ENDED = "sessions_ended"
    KEY_MADE = "api_key_made"
    KEY_REVOKED = "api_key_revoked"
    AUDIT_EXPORTED = "audit_exported"
    ASSOCIATION_ADDED = "association_added"
    ASSOCIATION_CHANGED = "association_changed"
    ASSOCIATION_MERGED = "association_merged"
    ASSOCIATION_RETIRED = "association_retired"
    ASSOCIATION_RESTORED = "association_restored"
    CONTACT_ADDED = "contact_added"
    CONTACT_CHANGED = "contact_changed"
    CONTACT_MOVED = "contact_moved"
    CONTACT_REMOVED = "contact_removed"
    PROPOSAL_DECIDED = "proposal_decided"
    NETWORK_CHANGED = "network_changed"
    MEMBERS_ADDED = "network_members_added"
    MEMBERS_REMOVED = "network_members_removed"
    CONFIRMATION_ASKED = "confirmation_asked"
    ANSWER_ENTERED = "answer_entered"
    CALL_TRIED = "call_tried"
    SHEETS_MADE = "sheets_made"
    REPLY_INTERPRETED = "reply_interpreted"
    REPLY_SET_ASIDE = "reply_set_aside"
    REGISTRY_EXPORTED = "registry_exported"


SENTENCES: Mapping[str, str] = {
    Act.SIGNED_IN: N_("signed in"),
    Act.SIGNED_OUT: N_("signed out"),
    Act.LINK_MADE: N_("made a sign-in link for a person"),
    Act.PERSON_ADDED: N_("added a person"),
    Act.PERSON_CHANGED: N_("changed a person's details or rights"),
    Act.REGISTRY_IMPORTED: N_("imported a list into the registry"),
    Act.REGISTRY_EXPORTED: N_("exported associations from the registry"),
    Act.SESSIONS_ENDED: N_("ended a person's sessions"),
    Act.KEY_MADE: N_("made a key for a partner"),
    Act.KEY_REVOKED: N_("revoked a partner's key"),
    Act.AUDIT_EXPORTED: N_("exported the audit"),
    Act.ASSOCIATION_ADDED: N_("added an association"),
    Act.ASSOCIATION_CHANGED: N_("changed an association"),
    Act.ASSOCIATION_MERGED: N_("merged two associations"),
    Act.ASSOCIATION_RETIRED: N_("retired an association"),
    Act.ASSOCIATION_RESTORED: N_("restored an association"),
    Act.CONTACT_ADDED: N_("added a contact"),
    Act.CONTACT_CHANGED: N_("changed a contact"),
    Act.CONTACT_MOVED: N_("changed the order of contacts"),
    Act.CONTACT_REMOVED: N_("removed a contact"),
    Act.PROPOSAL_DECIDED: N_("decided on a contact's proposal"),
    Act.NETWORK_CHANGED: N_("changed a network"),
    Act.MEMBERS_ADDED: N_("added associations to a network"),
    Act.MEMBERS_REMOVED: N_("removed associations from a network"),
    Act.CONFIRMATION_ASKED: N_("asked contacts to confirm their details"),
    Act.ANSWER_ENTERED: N_("entered an answer for an association"),
    Act.CALL_TRIED: N_("tried to call an association"),
    Act.SHEETS_MADE: N_("made sheets of paper"),
    Act.REPLY_INTERPRETED: N_("interpreted a reply by mail"),
    Act.REPLY_SET_ASIDE: N_("set a reply by mail aside"),
}
"""Each act as the page tells it after the name of the one who did it."""

DETAILS = {
    "roles": N_("roles"),
    "municipalities": N_("municipalities"),
    "networks": N_("networks"),
    "retired": N_("works here no more"),
    "new": N_("new"),
    "changed": N_("changed"),
    "sessions": N_("sessions"),
    "scopes": N_("may"),
    "expires": N_("valid until"),
    "rows": N_("rows"),
    "channel": N_("way"),
    "association": N_("association"),
    "round": N_("round"),
    "municipality": N_("municipality"),
    "count": N_("how many"),
    "outcome": N_("outcome"),
    "status": N_("status"),
    "reason": N_("reason"),
}
"""The name of each detail."""

BOOK = Book("/audit", SENTENCES, DETAILS)
