"""What notify says, and the letters it is asked to send (the work queue LETTERS, written by intake and exercise)."""

from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events import Event


class LetterWish(Event):
    """A wish that one letter be sent to one address. Its message is gone from the queue when it is in the ledger.

    `kind` names the letter's folder, `letter_id` what all recipients of this letter share (a round, a sign-in),
    `recipient_id` the one it is for: (letter_id, recipient_id) is sent once, however often it is wished.
    `shared` fills what is the same for all, by locale-free names; `personal` what differs (name, link).
    """

    letter_id: UUID
    recipient_id: UUID
    kind: str
    address: str
    locale: str
    not_after: AwareDatetime
    shared: dict[str, str] = Field(default_factory=dict)
    personal: dict[str, str] = Field(default_factory=dict)


class UrgentLetterRequested(LetterWish, service="letters", fact="urgent", heard_by=("notify",)):
    """Sign-in and confirmation: never waits behind a broadcast."""


class LetterRequested(LetterWish, service="letters", fact="bulk", heard_by=("notify",)):
    """One of many letters of a round."""


class LetterSent(Event, service="notify", fact="letter_sent"):
    """The relay took the letter (SMTP 250)."""

    letter_id: UUID
    recipient_id: UUID
    kind: str


class LetterFailed(Event, service="notify", fact="letter_failed", heard_by=("intake",)):
    """The letter will not reach its recipient: refused for good, expired, or refused by the gate."""

    letter_id: UUID
    recipient_id: UUID
    kind: str
    reason: str


class LetterReturned(Event, service="notify", fact="letter_returned", heard_by=("intake",)):
    """The relay took the letter, and then it came back: it did not reach its recipient. Days may lie between.

    `reason` begins with `returned:` and holds codes, and no person.
    """

    letter_id: UUID
    recipient_id: UUID
    kind: str
    reason: str


class PersonErased(Event, service="notify", fact="person_erased", heard_by=("intake", "exercise")):
    """Somebody had herself erased. `key` is the keyed hash of her address (`shared.erased`): whoever holds addresses
    finds hers by it, and nobody else learns anything."""

    key: str = Field(pattern=r"^[0-9a-f]{64}$")


class GuidancePublished(Event, service="notify", fact="guidance_published", heard_by=("exercise",)):
    """A revision of guidance was released: the first (`alert`), one that replaces it, or one that withdraws it.

    `alone` says that one person both wrote and released it.
    """

    guidance_id: UUID
    revision: int
    situation_id: UUID | None = None
    kind: str = "alert"
    alone: bool = False


class BroadcastFinished(Event, service="notify", fact="broadcast_finished", heard_by=("exercise",)):
    """Every recipient of a guidance revision has a final state in the ledger."""

    guidance_id: UUID
    revision: int
    sent: int
    failed: int
