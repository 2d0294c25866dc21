"""Which addresses webhooks may reach, and that receivers can tell our messages from others'."""

import re
from base64 import b64decode
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.notify.webhook.model import (
    Endpoint,
    Flaw,
    Reach,
    Wanted,
    flaws,
    headers_of,
    key_of,
    networks_of,
    shown,
)
from tests.fakes import STORM_EVENING

SECRET = "a secret of at least thirty-two characters"
ENDPOINT = UUID("0199a000-0000-7000-8000-000000000001")
FEEDS = Path(__file__).parents[3] / "docs" / "feeds.md"
PUBLIC = Reach()
TRIAL = Reach(trial=True)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_are_reached_by_https_alone(address: str) -> None:
    assert PUBLIC.permits(address, "https")
    assert not PUBLIC.permits(address, "http")
    assert not TRIAL.permits(address, "http")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
        "2002:a00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe", "nonsense", "",
    ],
)  # fmt: skip
def test_nothing_inside_a_house_is_reached(address: str) -> None:
    assert not PUBLIC.permits(address, "https")


def test_a_named_network_is_reached_by_https_and_this_machine_in_a_trial() -> None:
    named = Reach(networks_of("10.1.0.0/16 fd00::/8"))

    assert named.permits("10.1.2.3", "https")
    assert named.permits("fd00::1", "https")
    assert not named.permits("10.1.2.3", "http")
    assert not named.permits("10.2.2.3", "https")
    assert TRIAL.permits("127.0.0.1", "http")
    assert not TRIAL.permits("10.1.2.3", "https")


@pytest.mark.parametrize(
    ("url", "flaw"),
    [
        ("http://partner.example.org/x", Flaw.NOT_HTTPS),
        ("ftp://partner.example.org/x", Flaw.NOT_HTTPS),
        ("https://10.0.0.1/x", Flaw.NOT_REACHED),
        ("https://[::1]/x", Flaw.NOT_REACHED),
        ("https://aino:secret@partner.example.org/", Flaw.HAS_CREDENTIALS),
        ("https://partner.example.org/#x", Flaw.HAS_CREDENTIALS),
        ("partner.example.org", Flaw.NO_URL),
        ("https://[broken", Flaw.NO_URL),
        ("https://partner.example.org:99999/", Flaw.NO_URL),
        ("https://partner.example.org/a b", Flaw.NO_URL),
        ("", Flaw.NO_URL),
        ("https://partner.example.org/" + "x" * 500, Flaw.NO_URL),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_its_reason(url: str, flaw: Flaw) -> None:
    assert flaw in flaws(Wanted("Pelastuslaitos", url), PUBLIC)


def test_a_good_address_is_taken() -> None:
    assert flaws(Wanted("Pelastuslaitos", "https://partner.example.org:8443/valmius?x=1"), PUBLIC) == []
    assert flaws(Wanted("Kokeilu", "http://127.0.0.1:9000/"), TRIAL) == []


def test_each_endpoint_and_each_version_has_a_key_of_its_own() -> None:
    other = UUID("0199a000-0000-7000-8000-000000000002")
    keys = {
        key_of(SECRET, ENDPOINT, 1),
        key_of(SECRET, ENDPOINT, 2),
        key_of(SECRET, other, 1),
        key_of("x", ENDPOINT, 1),
    }

    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}


def test_a_known_message_has_the_signature_of_the_standard() -> None:
    """The example of the Standard Webhooks specification's reference libraries."""
    key = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    headers = headers_of("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', keys=[key], now=1614265330)

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def receiver_of_the_guide() -> Any:
    """The function that docs/feeds.md gives to receivers."""
    [code] = re.findall(r"```python\n(.+?)```", FEEDS.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - the guide's own example
    return names["is_from_valmius"]


def test_a_receiver_verifies_as_the_guide_says() -> None:
    is_from_valmius = receiver_of_the_guide()
    key, other = key_of(SECRET, ENDPOINT, 1), key_of(SECRET, ENDPOINT, 2)
    now, body = int(STORM_EVENING.timestamp()), b'{"type":"ping"}'
    headers = headers_of("msg_1", body, keys=[key], now=now)

    assert is_from_valmius(shown(key), headers, body, now=now + 60)
    assert not is_from_valmius(shown(other), headers, body, now=now)
    assert not is_from_valmius(shown(key), headers, body + b" ", now=now)
    assert not is_from_valmius(shown(key), {**headers, "webhook-id": "msg_2"}, body, now=now)
    assert not is_from_valmius(shown(key), headers, body, now=now + 301)


def test_after_a_rotation_both_secrets_verify_for_a_day() -> None:
    is_from_valmius = receiver_of_the_guide()
    endpoint = Endpoint(ENDPOINT, "Pelastuslaitos", "https://x.example.org/", exercises=False, version=2,
                        rotated_at=STORM_EVENING, made_at=STORM_EVENING)  # fmt: skip
    old, new = shown(key_of(SECRET, ENDPOINT, 1)), shown(key_of(SECRET, ENDPOINT, 2))

    def verifies(secret: str, hours: int) -> bool:
        now = STORM_EVENING + timedelta(hours=hours)
        moment = int(now.timestamp())
        headers = headers_of("msg_1", b"{}", keys=endpoint.keys(SECRET, now), now=moment)
        return bool(is_from_valmius(secret, headers, b"{}", now=moment))

    assert [verifies(old, hours) for hours in (0, 23, 24)] == [True, True, False]
    assert [verifies(new, hours) for hours in (0, 23, 24)] == [True, True, True]
