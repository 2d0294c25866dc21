"""Return address format: the envelope sender by which whatever comes back names its delivery (VERP), with a keyed tag.

`bounce+<delivery>-<tag>@<mail domain>`, at most 47 bytes before the @ (RFC 5321 allows 64), of digits and small letters
only: some programs change the case of addresses, or take other marks for their own.
"""

import hmac
import re
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

BOX = "bounce"
TAG_LENGTH = 20
"""Hexadecimal digits: 80 bits, and whoever guesses has to ask our door for each."""

_LOCAL_PART = re.compile(rf"{BOX}\+([1-9][0-9]{{0,18}})-([0-9a-f]{{{TAG_LENGTH}}})")


@dataclass(frozen=True)
class ReturnAddress:
    """What an address claims: the number of a delivery, and the tag that must be its own."""

    delivery: int
    tag: str

    def genuine(self, letter_id: UUID, recipient_id: UUID, *, secret: str) -> bool:
        """True if we gave this address to this delivery.

        The letter and the recipient are in the tag, since a database that was restored may give a number anew.
        """
        own = _tag(self.delivery, letter_id, recipient_id, secret=secret)
        return hmac.compare_digest(own, self.tag)


def return_address(delivery: int, letter_id: UUID, recipient_id: UUID, *, secret: str, domain: str) -> str:
    """The envelope sender of this delivery's letter. It is made for each letter: that has to be cheap."""
    return f"{BOX}+{delivery}-{_tag(delivery, letter_id, recipient_id, secret=secret)}@{domain}"


def read_return_address(address: str, *, domain: str) -> ReturnAddress | None:
    """What the address claims; None for any other address. Case is of no account."""
    local, _, host = address.lower().rpartition("@")
    found = _LOCAL_PART.fullmatch(local)
    if found is None or host != domain.lower():
        return None
    delivery = int(found[1])
    return ReturnAddress(delivery, found[2]) if delivery < 2**63 else None


def _tag(delivery: int, letter_id: UUID, recipient_id: UUID, *, secret: str) -> str:
    mac = _keyed(secret).copy()
    mac.update(b"%d" % delivery + letter_id.bytes + recipient_id.bytes)
    return mac.hexdigest()[:TAG_LENGTH]


@lru_cache(maxsize=8)
def _keyed(secret: str) -> hmac.HMAC:
    """The secret and the purpose taken in, never used up itself: to take them in costs more than all the rest."""
    return hmac.new(secret.encode(), b"return address:", digestmod="sha256")
