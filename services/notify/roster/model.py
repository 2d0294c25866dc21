"""Model of a roster: one who takes part, as the recipient of a letter."""

from uuid import NAMESPACE_URL, UUID, uuid5

from services.notify.delivery.model import Recipient, address_key
from shared.i18n import Locale
from shared.realm import Realm


def participant(realm: Realm, address: str, locale: Locale = Locale.FI) -> Recipient:
    """Who takes part with this address. The id is the same in all letters of this exercise, and in no other one."""
    return Recipient(_id(realm, address), address, locale)


def _id(realm: Realm, address: str) -> UUID:
    return uuid5(uuid5(NAMESPACE_URL, realm.id), address_key(address))
