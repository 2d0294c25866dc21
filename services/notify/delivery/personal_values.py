"""Format: which values differ between the copies of a letter, by its kind."""

from collections.abc import Mapping

from services.notify.delivery.model import Kind

PERSONAL: Mapping[Kind, tuple[str, ...]] = {
    Kind.CHECKIN: ("association", "link"),
    Kind.REMINDER: ("association", "link"),
    Kind.REPLY_RECORDED: ("association", "link"),
    Kind.SIGN_IN: ("name", "link"),
    Kind.CONFIRM: ("link",),
    Kind.GUIDANCE: ("leave",),
    Kind.DETAILS: ("association", "link"),
    Kind.SIGN_UP: ("link",),
    Kind.INJECT: (),
    Kind.EXERCISE_STARTED: (),
    Kind.EXERCISE_ENDED: (),
}
"""What differs between the copies of a letter; `leave` is made from the recipient's id."""

OPTIONAL: Mapping[Kind, tuple[str, ...]] = {Kind.CHECKIN: ("earlier",)}
"""What only some copies have: without it, its line is left out."""
