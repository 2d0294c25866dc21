"""What a real name server says of the mail domain is read as receivers read it, and each fault has its remedy."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence

import pytest
from typer.testing import CliRunner

from services import email_domain
from services.cli import app
from services.email_domain import Finding, Records, Weight, examine_domain
from tests.name_server import SILENCE, NameServer, name_server
from tests.notify.delivery.signing import both, keys

DOMAIN = "mail.example.org"
RSA, EDWARDS = (f"{key.selector}._domainkey.{DOMAIN} TXT" for key in keys())
SPF, DMARC, MX = f"{DOMAIN} TXT", f"_dmarc.{DOMAIN} TXT", f"{DOMAIN} MX"


def text(value: str) -> str:
    """A TXT record in parts of 200 characters, as long ones are published."""
    return " ".join(f'"{value[start : start + 200]}"' for start in range(0, len(value), 200))


ZONE: dict[str, Sequence[str]] = {
    MX: ["20 second.example.org.", "10 mx.example.org."],
    "mx.example.org A": ["192.0.2.1"],
    "second.example.org AAAA": ["2001:db8::1"],
    SPF: ['"unrelated"', '"v=spf1 mx include:relay.example -all"'],
    "relay.example TXT": ['"v=spf1 ip4:192.0.2.0/24 ~all"'],
    RSA: [text(keys()[0].record)],
    EDWARDS: [text(keys()[1].record)],
    DMARC: ['"v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org"'],
}


Told = Callable[..., dict[str, Finding]]


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    with name_server() as server:
        server.zone = ZONE
        yield server


@pytest.fixture
def told(server: NameServer) -> Iterator[Told]:
    """The findings where the zone differs so, by their part; each problem has a remedy."""

    def look(change: dict[str, Sequence[str]], *, signs: bool = True, selector: str = "") -> dict[str, Finding]:
        server.zone = {**ZONE, **change}
        records = Records(("127.0.0.1", server.port))
        looking = examine_domain(DOMAIN, keys() if signs else (), records=records, relay_selector=selector)
        findings = asyncio.run(looking)
        assert all(bool(one.problem) == bool(one.remedy) == (one.weight is not Weight.WELL) for one in findings)
        return {one.part: one for one in findings}

    yield look
    server.zone = ZONE


def problems(findings: dict[str, Finding]) -> dict[str, str]:
    return {part: one.problem for part, one in findings.items() if one.problem}


def types(server: NameServer, *arguments: str, code: int) -> str:
    """What the command prints before this name server; it must end with this code."""
    environment = {
        "VALMIUS_SECRET": "a secret of at least thirty-two characters",
        "VALMIUS_MAIL_DOMAIN": DOMAIN,
        "VALMIUS_DKIM__SELECTOR": both().selector,
        "VALMIUS_DKIM__KEY": both().key.get_secret_value(),
        "VALMIUS_DKIM__SECOND_SELECTOR": both().second_selector,
        "VALMIUS_DKIM__SECOND_KEY": both().second_key.get_secret_value(),
    }
    command = ["check", "email-domain", "--resolver", f"127.0.0.1:{server.port}", *arguments]
    done = CliRunner().invoke(app, command, env=environment)
    assert done.exit_code == code, done.output
    return done.stdout


def test_programs_are_told_the_same_and_the_exit_code_says_if_something_is_wrong(
    server: NameServer, told: Told
) -> None:
    told({DMARC: [text("v=DMARC1; p=none")]})
    advised = json.loads(types(server, "--json", code=0))
    told({MX: ()})
    wrong = json.loads(types(server, "--json", code=1))

    assert [one["weight"] for one in advised] == ["ok", "ok", "ok", "ok", "advice"]
    assert [one["ok"] for one in wrong] == [False, True, True, True, True]


def test_a_domain_that_is_well_is_said_to_be(server: NameServer) -> None:
    assert types(server, code=0).splitlines() == [
        "ok      MX",
        "ok      SPF",
        "ok      DKIM autumn",
        "ok      DKIM autumn-ed",
        "ok      DMARC",
    ]


def test_a_domain_that_publishes_nothing_is_told_what_to_publish(told: Told) -> None:
    findings = told(dict.fromkeys(ZONE, ()))

    assert list(problems(findings)) == ["MX", "SPF", "DKIM autumn", "DKIM autumn-ed", "DMARC"]
    assert keys()[0].record in findings["DKIM autumn"].remedy
    assert keys()[1].record in findings["DKIM autumn-ed"].remedy
    assert f'_dmarc.{DOMAIN}: "v=DMARC1; p=none"' in findings["DMARC"].remedy
    assert "forger" in findings["SPF"].problem


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (["v=spf1 mx -all", "v=spf1 include:relay.example -all"], "publishes 2 SPF records"),
        (["v=spf1 " + "mx " * 11 + "-all"], "more than 10 look-ups"),
        (["v=spf1 mx include:many.example -all"], "more than 10 look-ups"),
        ([f"v=spf1 include:{DOMAIN} -all"], "more than 10 look-ups"),
        (["v=spf1 include:nobody.example -all"], "includes nobody.example, which publishes none"),
        (["v=spf1 include:two.example -all"], "two.example publishes 2 SPF records"),
        (["v=spf1 ipv4:192.0.2.1 -all"], "'ipv4:192.0.2.1', which means nothing"),
        (["v=spf1 mx +all"], "anybody may send in your name"),
        (["v=spf1 redirect=open.example"], "anybody may send in your name"),
        (["v=spf10 mx -all"], "publishes no SPF record"),
    ],
)
def test_an_spf_record_that_does_not_serve_is_explained(records: list[str], expected: str, told: Told) -> None:
    others = {
        "many.example TXT": ['"v=spf1 a mx ptr exists:x.example a:b.example a:c.example mx:d.example a:e a:f -all"'],
        "two.example TXT": ['"v=spf1 -all"', '"v=spf1 mx"'],
        "open.example TXT": ['"v=spf1 all"'],
    }

    findings = told({SPF: [text(record) for record in records], **others})

    assert list(problems(findings)) == ["SPF"]
    assert expected in findings["SPF"].problem


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 " + "mx " * 10 + "-all",
        "V=SPF1 A/24 ip6:2001:db8::/32 include:relay.example ~all",
        "v=spf1 redirect=relay.example",
        "v=spf1 -all include:nobody.example",
        "v=spf1 include:%{d}.nobody.example exp=why.example -all",
    ],
)
def test_an_spf_record_that_serves_is_left_in_peace(record: str, told: Told) -> None:
    assert problems(told({SPF: [text(record)]})) == {}


@pytest.mark.parametrize("record", ["v=spf1 mx", "v=spf1 mx ?all", "v=spf1 include:relay.example"])
def test_an_spf_record_that_leaves_the_rest_open_is_advised(record: str, told: Told) -> None:
    findings = told({SPF: [text(record)]})

    assert findings["SPF"].weight is Weight.ADVICE
    assert "-all" in findings["SPF"].remedy


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([f"v=DKIM1; k=rsa; p={keys()[1].public}"], "not the one that letters are signed with"),
        ([keys()[1].record], "not the one that letters are signed with"),
        (["v=DKIM1; k=rsa; p="], "revoked"),
        (["nonsense"], "revoked or not written out"),
        ([keys()[0].record, keys()[1].record], "2 records"),
    ],
)
def test_a_published_key_that_is_not_ours_is_found(records: list[str], expected: str, told: Told) -> None:
    findings = told({RSA: [text(record) for record in records]})

    assert list(problems(findings)) == ["DKIM autumn"]
    assert expected in findings["DKIM autumn"].problem


def test_a_key_without_its_kind_and_with_blanks_in_it_is_ours(told: Told) -> None:
    public = keys()[0].public
    record = f"p = {public[:100]} {public[100:]} ; n=note"

    assert problems(told({RSA: [text(record)]})) == {}
    assert told({RSA: [text(f"{record}; t=s:y")]})["DKIM autumn"].weight == "advice"


def test_where_the_relay_signs_its_key_is_looked_for(told: Told) -> None:
    unsigned = told({}, signs=False)
    theirs = told({}, signs=False, selector="autumn")
    nowhere = told({}, signs=False, selector="spring")

    assert unsigned["DKIM"].weight == "advice"
    assert theirs["DKIM autumn"].weight == "ok"
    assert "there is no key at spring._domainkey" in nowhere["DKIM spring"].problem


@pytest.mark.parametrize(
    ("records", "weight", "expected"),
    [
        (["v=DMARC1; p=none"], "advice", "forged letters in your name are delivered"),
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], "wrong", "2 policies"),
        (["v=DMARC1; p=refuse"], "wrong", "'refuse'"),
        (["v=DMARC1; rua=mailto:x@example.org"], "wrong", "means nothing"),
    ],
)
def test_a_policy_that_protects_nobody_is_said_to(records: list[str], weight: str, expected: str, told: Told) -> None:
    findings = told({DMARC: [text(record) for record in records]})

    assert findings["DMARC"].weight == weight
    assert expected in findings["DMARC"].problem


def test_the_policy_of_the_domain_above_holds_where_there_is_no_own(told: Told) -> None:
    above = {DMARC: (), "_dmarc.example.org TXT": [text("v=DMARC1; p=reject; sp=none")]}

    assert "_dmarc.example.org is none" in told(above)["DMARC"].problem
    assert problems(told({DMARC: (), "_dmarc.example.org TXT": [text("v=DMARC1; p=reject")]})) == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [({MX: ["0 ."]}, "names no server"), ({"second.example.org AAAA": ()}, "second.example.org has no address")],
)
def test_a_domain_that_nobody_takes_mail_for_is_found(
    change: dict[str, Sequence[str]], expected: str, told: Told
) -> None:
    assert expected in told(change)["MX"].problem


def test_a_name_server_that_is_silent_is_not_taken_for_one_that_knows_nothing(
    monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    monkeypatch.setattr(email_domain, "PATIENCE", 0.2)

    findings = told({SPF: [SILENCE], DMARC: [SILENCE]})

    assert list(problems(findings)) == ["SPF", "DMARC"]
    assert "no name server answered" in findings["SPF"].problem


@pytest.mark.parametrize("resolver", ["name.example", "127.0.0.1:x", ":53"])
def test_a_resolver_is_given_by_its_address(resolver: str) -> None:
    command = ["check", "email-domain", "--resolver", resolver]
    done = CliRunner().invoke(app, command, env={"VALMIUS_SECRET": "a secret of at least thirty-two characters"})

    assert done.exit_code == 2
    assert "not the address of a name server" in " ".join(done.output.split())
