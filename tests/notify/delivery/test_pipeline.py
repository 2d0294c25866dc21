"""One connection, letter after letter: whatever the relay answers and however, each letter's fate is told exactly."""

import asyncio
import ssl
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from services.notify.delivery import mail
from services.notify.delivery.mail import COMMAND_TIMEOUT, Connection, Envelope, MailError
from services.notify.delivery.model import Fault, Stage, interrupted, refusal
from services.notify.delivery.pipeline import Pipeline
from shared.settings import Smtp
from tests.notify.delivery.relay import DROP, DROP_AFTER_TAKING, HANG, Manner, Relay, relaying
from tests.servers import eventually, program

PIPELINING = ("PIPELINING", "8BITMIME")
ONE_BY_ONE = ("8BITMIME",)
AINO, BERTTA, CECILIA = (f"{name}@example.org" for name in ("aino", "bertta", "cecilia"))
WORDY = "250-indeed\r\n250 2.0.0 ok"
ANSWERS = ("450 4.2.0 later", "550-5.1.1 no such user\r\n550 here", "421 4.3.2 closing", "nonsense", DROP)


def letter_to(address: str) -> bytes:
    """A short letter with the dots that want doubling."""
    return f"To: {address}\r\n\r\n.\r\n..\r\n.piste\r\n".encode()


def to(address: str) -> Envelope:
    return Envelope(address, address)


def connection_to(relay: Relay) -> Connection:
    return Connection(Smtp(port=relay.port), domain="mail.example.org", body_timeout=0.05)


async def fate(connection: Connection, envelope: Envelope | str, *, following: Envelope | None = None) -> Fault | None:
    """Send a letter, under an envelope sender that names its recipient: None when it was taken, else why not."""
    envelope = to(envelope) if isinstance(envelope, str) else envelope

    async def message(_eight_bit: bool) -> bytes:
        return letter_to(envelope.recipient)

    try:
        await connection.send(envelope, message=message, following=lambda: following)
    except MailError as error:
        return error.fault
    return None


async def _ended(connection: Connection) -> bool:
    return connection._pipeline is not None and not connection._pipeline.usable


async def all_fates(relay: Relay, addresses: Sequence[str], *, ahead: bool) -> list[Fault | None]:
    """What became of each letter over one connection; with `ahead` each envelope goes with the letter before it."""
    connection = connection_to(relay)
    envelopes = [to(address) for address in addresses]
    nexts = [*(envelopes[1:] if ahead else [None] * (len(envelopes) - 1)), None]
    found = [
        await fate(connection, envelope, following=following)
        for envelope, following in zip(envelopes, nexts, strict=True)
    ]
    await connection.quit()
    return found


async def fates(relay: Relay, *addresses: str, ahead: bool = False) -> list[str]:
    """The same in words."""
    found = await all_fates(relay, addresses, ahead=ahead)
    return ["sent" if fault is None else fault.reason for fault in found]


@pytest.mark.parametrize(("extensions", "ahead"), [(PIPELINING, 2), (ONE_BY_ONE, 0)])
async def test_the_envelope_goes_ahead_only_where_the_relay_allows_it(extensions: tuple[str, ...], ahead: int) -> None:
    async with relaying(Relay(extensions=extensions)) as relay:
        assert await fates(relay, AINO, BERTTA) == ["sent", "sent"]

        assert relay.most_ahead == ahead
        assert [letter.message for letter in relay.taken] == [letter_to(AINO), letter_to(BERTTA)]
        assert relay.verbs == ["EHLO", *("MAIL", "RCPT", "DATA") * 2, "QUIT"]


@pytest.mark.parametrize("lenient", [False, True])
async def test_whom_the_relay_refuses_gets_nothing_and_the_next_goes_over_the_same_connection(lenient: bool) -> None:
    async with relaying(Relay(extensions=PIPELINING, lenient=lenient)) as relay:
        relay.say["rcpt", BERTTA] = "550 5.1.1 no such user"

        assert await fates(relay, AINO, BERTTA, CECILIA) == ["sent", "550 5.1.1 at rcpt", "sent"]

        assert relay.wasted == [b""] * lenient
        assert set(relay.copies) == {AINO, CECILIA}
        assert relay.connections == 1


async def test_nobody_gets_an_empty_letter_from_a_relay_that_takes_a_recipient_after_refusing_the_sender() -> None:
    async with relaying(Relay(extensions=PIPELINING, lenient=True)) as relay:
        relay.say["mail", BERTTA] = "450 4.1.8 not now"

        assert await fates(relay, AINO, BERTTA, CECILIA) == ["sent", "450 4.1.8 at mail", "sent"]

        assert set(relay.copies) == {AINO, CECILIA}
        assert relay.connections == 2


@pytest.mark.parametrize(("stage", "ambiguous"), [("mail", False), ("rcpt", False), ("data", False), ("body", True)])
async def test_a_relay_that_falls_silent_is_given_up_and_only_after_the_body_in_doubt(
    monkeypatch: pytest.MonkeyPatch, stage: str, ambiguous: bool
) -> None:
    monkeypatch.setattr(mail, "COMMAND_TIMEOUT", 0.05)
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        relay.say[stage, BERTTA] = HANG
        connection = connection_to(relay)
        await fate(connection, AINO)

        silent = await fate(connection, BERTTA)

        assert silent == Fault(f"no answer at {stage}", relay=True, ambiguous=ambiguous)
        assert await fate(connection, CECILIA) is None
        await connection.quit()


@pytest.mark.parametrize("words", [b"421 4.4.2 idle for too long\r\n", b"250 ok once more\r\n"])
async def test_words_that_nobody_asked_for_are_never_taken_for_the_next_letters_reply(words: bytes) -> None:
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        relay.say["rcpt", BERTTA] = "550 5.1.1 no such user"
        connection = connection_to(relay)
        await fate(connection, AINO)
        for writer in relay._open:
            writer.write(words)
        await eventually(partial(_ended, connection))

        refused = await fate(connection, BERTTA)

        assert refused == refusal(Stage.RCPT, 550, "5.1.1")
        assert await fate(connection, CECILIA) is None
        assert relay.connections == 2
        await connection.quit()


async def test_a_letter_is_not_in_doubt_when_the_relay_says_goodbye_before_it_can_go_out() -> None:
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        relay.say["data", AINO] = "354 go on\r\n421 4.3.2 closing"

        assert await fates(relay, AINO, BERTTA) == ["connection lost at data", "sent"]


async def test_who_is_cancelled_while_a_refusal_is_cleared_up_leaves_no_reply_for_the_next() -> None:
    async with relaying(Relay(extensions=PIPELINING, lenient=True)) as relay:
        relay.say |= {("rcpt", AINO): "550 5.1.1 no such user", ("data", AINO): HANG}
        connection = connection_to(relay)
        first = asyncio.create_task(fate(connection, AINO))
        await eventually(partial(_begun, relay))

        first.cancel()
        await asyncio.wait([first])

        async with asyncio.timeout(COMMAND_TIMEOUT / 2):
            assert await fate(connection, BERTTA) is None
        assert relay.connections == 2
        await connection.quit()


async def _begun(relay: Relay) -> bool:
    return "DATA" in relay.verbs


async def test_a_letter_that_cannot_be_written_does_not_cost_the_connection(relay: Relay) -> None:
    connection = connection_to(relay)
    await fate(connection, AINO)

    async def unwritable(_eight_bit: bool) -> bytes:
        raise LookupError("a name is missing")

    with pytest.raises(LookupError):
        await connection.send(to(BERTTA), message=unwritable)

    assert await fate(connection, CECILIA) is None
    assert relay.connections == 1
    await connection.quit()


def test_no_address_can_smuggle_in_a_command() -> None:
    with pytest.raises(ValueError, match="control character"):
        Envelope(AINO, f"{BERTTA}>\r\nRCPT TO:<{CECILIA}")


async def test_an_envelope_that_goes_ahead_saves_a_round_trip_and_sends_nothing_by_itself() -> None:
    async with relaying(Relay(extensions=PIPELINING, manner=Manner.TOGETHER)) as relay:
        connection = connection_to(relay)
        bertta = to(BERTTA)

        assert await fate(connection, AINO, following=bertta) is None
        await eventually(partial(_said, relay, "DATA", 2))
        assert set(relay.copies) == {AINO}
        assert await fate(connection, bertta) is None

        assert relay.verbs == ["EHLO", *("MAIL", "RCPT", "DATA") * 2]
        assert set(relay.copies) == {AINO, BERTTA}
        await connection.quit()


async def test_a_letter_that_is_left_after_its_envelope_went_ahead_is_not_sent() -> None:
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        connection = connection_to(relay)
        await fate(connection, AINO, following=to(BERTTA))

        assert await fate(connection, CECILIA) is None

        assert set(relay.copies) == {AINO, CECILIA}
        assert relay.wasted == []
        assert relay.connections == 2
        await connection.quit()


async def test_whom_the_relay_refuses_though_she_went_ahead_is_refused_alone() -> None:
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        relay.say["rcpt", BERTTA] = "550 5.1.1 no such user"

        assert await fates(relay, AINO, BERTTA, CECILIA, ahead=True) == ["sent", "550 5.1.1 at rcpt", "sent"]

        assert relay.connections == 1


@pytest.mark.parametrize("answer", ["554 5.6.0 not wanted", DROP_AFTER_TAKING, "421 4.3.2 closing"])
async def test_what_becomes_of_a_letter_is_not_laid_on_the_one_that_went_ahead_behind_it(answer: str) -> None:
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        relay.say["body", AINO] = answer

        first, second = await all_fates(relay, [AINO, BERTTA], ahead=True)

        assert first is not None
        assert first.ambiguous == (answer == DROP_AFTER_TAKING)
        assert second is None
        assert relay.copies[BERTTA] == 1


async def _said(relay: Relay, verb: str, times: int) -> bool:
    return relay.verbs.count(verb) == times


async def test_endless_words_are_no_reply() -> None:
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        relay.say["rcpt", AINO] = "250 " + "x" * 100_000

        assert await fates(relay, AINO) == ["-1 at rcpt"]


async def test_the_short_limit_of_one_reply_does_not_cut_the_next_short() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for wait in (0.0, 0.15):
            await reader.readline()
            await asyncio.sleep(wait)
            writer.write(b"250 ok\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", port)
    pipeline = Pipeline(transport)
    codes = []
    for within in (0.1, 30):
        pipeline.write(b"NOOP\r\n")
        codes.append((await pipeline.reply(within=within)).code)
    pipeline.write(b"NOOP\r\n")

    assert codes == [250, 250]
    with pytest.raises(TimeoutError):
        await pipeline.reply(within=0.05)
    pipeline.close()
    server.close()


@dataclass(frozen=True)
class Part:
    """What the relay does with one letter: its first stage that is not plain, and whether it said goodbye before."""

    stage: str = ""
    answer: str = ""
    goodbye: str | None = None

    def expected(self) -> Fault | None:
        """What this means by the rules of `model`, which have their own tests."""
        if not self.stage or self.answer == WORDY:
            return None
        stage = Stage(self.stage)
        if self.answer in {DROP, DROP_AFTER_TAKING}:
            return interrupted(stage, "connection lost")
        if self.answer == "nonsense":
            return refusal(stage, -1, "")
        return refusal(stage, int(self.answer[:3]), self.answer[4:])


@dataclass(frozen=True)
class Evening:
    """Letters over one connection, and the relay's ways."""

    parts: Sequence[Part]
    extensions: tuple[str, ...]
    manner: Manner
    lenient: bool
    ahead: bool
    addresses: list[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "addresses", [f"reader{number}@example.org" for number in range(len(self.parts))])

    def relay(self) -> Relay:
        """The relay that plays it."""
        relay = Relay(extensions=self.extensions, manner=self.manner, lenient=self.lenient)
        for address, part in zip(self.addresses, self.parts, strict=True):
            if part.stage:
                relay.say[part.stage, address] = part.answer
            if part.goodbye is not None:
                relay.goodbyes[address] = part.goodbye
        return relay


goodbyes = st.sampled_from([None, None, "", "421 4.4.2 idle"])
plain = st.builds(Part, goodbye=goodbyes)
refused = st.builds(Part, st.sampled_from(["mail", "rcpt", "data", "body"]), st.sampled_from(ANSWERS), goodbye=goodbyes)
wordy = st.builds(Part, st.sampled_from(["mail", "rcpt", "body"]), st.just(WORDY), goodbye=goodbyes)
in_doubt = st.builds(Part, st.just("body"), st.just(DROP_AFTER_TAKING), goodbye=goodbyes)
evenings = st.builds(
    Evening,
    st.lists(plain | wordy | refused | in_doubt, min_size=1, max_size=6),
    extensions=st.sampled_from([PIPELINING, ONE_BY_ONE]),
    manner=st.sampled_from(Manner),
    lenient=st.booleans(),
    ahead=st.booleans(),
)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(evening=evenings)
def test_every_letter_ends_as_its_relay_answered_and_what_is_said_to_be_sent_was_taken(evening: Evening) -> None:
    async def play() -> tuple[Relay, list[Fault | None]]:
        async with relaying(evening.relay()) as relay:
            return relay, await all_fates(relay, evening.addresses, ahead=evening.ahead)

    relay, found = asyncio.run(play())

    told = dict(zip(evening.addresses, found, strict=True))
    assert found == [part.expected() for part in evening.parts]
    assert relay.confirmed == [address for address, fault in told.items() if fault is None]
    assert all(fault is None or fault.ambiguous for address, fault in told.items() if address in relay.copies)
    assert all(letter.message == letter_to(letter.recipient) for letter in relay.taken)
    assert set(relay.copies.values()) <= {1}
    assert set(relay.wasted) <= {b""}
    assert relay.most_ahead <= (2 if evening.extensions == PIPELINING else 0)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A relay's certificate that this process trusts."""
    key, file = tmp_path / "relay.key", tmp_path / "relay.pem"
    asked = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(file)]
    subprocess.run([program("openssl"), *asked.split(), *names], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, key)
    return context


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
def test_letters_go_over_a_connection_that_is_secured_and_logged_in(
    certificate: ssl.SSLContext, tls: str, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def play() -> Relay:
        offered = ("STARTTLS",) * (tls == "starttls")
        relay = Relay(extensions=(*offered, "AUTH PLAIN", *PIPELINING), tls=None if tls == "none" else certificate)
        async with relaying(relay):
            given = {"host": "localhost", "port": relay.port, "tls": tls}
            account = {"username": "valmius", "password": SecretStr("a password")}
            connection = Connection(Smtp.model_validate(given | account), domain="mail.example.org")
            assert [await fate(connection, address) for address in (AINO, BERTTA)] == [None, None]
            await connection.quit()
        return relay

    with asyncio.Runner(loop_factory=loop) as runner:
        relay = runner.run(play())

    assert [letter.message for letter in relay.taken] == [letter_to(AINO), letter_to(BERTTA)]
    assert ("STARTTLS" in relay.verbs, "AUTH" in relay.verbs) == (tls == "starttls", True)
    assert relay.most_ahead == 2
    assert relay.connections == 1
