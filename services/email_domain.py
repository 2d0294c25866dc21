"""Email domain: what the domain of our letters publishes in the DNS, what receivers make of it, and what to mend."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final

import dns.exception
import dns.resolver
from dns.asyncresolver import Resolver

from services.notify.delivery.dkim_format import SigningKey

PATIENCE = 5.0
"""Seconds after which a name server that does not answer counts as silent."""

MOST_LOOKUPS: Final = 10
"""More than so many look-ups in an SPF record, and receivers take it for broken (RFC 7208, 4.6.4)."""

_TERM = re.compile(r"([+?~-]?)([A-Za-z][A-Za-z0-9._-]*)([:=/]?)(.*)")
_COUNTED = frozenset({"include", "a", "mx", "ptr", "exists"})
_PLAIN = frozenset({"all", "ip4", "ip6"})


class Weight(StrEnum):
    """How much a finding matters."""

    WELL = "ok"
    ADVICE = "advice"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One part of what the domain publishes, what is wrong with it (nothing: all is well), and what to do."""

    part: str
    problem: str = ""
    remedy: str = ""
    weight: Weight = Weight.WRONG

    def line(self) -> str:
        """The finding for people."""
        if self.weight is Weight.WELL:
            return f"ok      {self.part}"
        word = "WRONG  " if self.weight is Weight.WRONG else "advice "
        return f"{word} {self.part}: {self.problem}\n        {self.remedy}"

    def told(self) -> dict[str, Any]:
        """The finding for programs."""
        return {"ok": self.weight is not Weight.WRONG, **asdict(self)}


class SilentError(Exception):
    """No name server has answered, or none could."""


class Records:
    """What the DNS says of names, through one resolver."""

    def __init__(self, resolver: tuple[str, int] | None = None) -> None:
        """Through the name server at this address and port, or those of the machine. Raises LookupError without any."""
        try:
            self._resolver = Resolver(configure=resolver is None)
        except dns.resolver.NoResolverConfiguration as error:
            raise LookupError("this machine knows no name server; give one with --resolver") from error
        if resolver:
            self._resolver.nameservers, self._resolver.port = [resolver[0]], resolver[1]

    async def texts(self, name: str) -> list[str]:
        """The TXT records at a name, each joined of its parts. Raises SilentError."""
        return [b"".join(record.strings).decode("utf-8", "replace") for record in await self._ask(name, "TXT")]

    async def mail_servers(self, domain: str) -> list[str]:
        """Who takes mail for a domain, the preferred first; "" stands for "nobody". Raises SilentError."""
        records = sorted(await self._ask(domain, "MX"), key=lambda record: record.preference)
        return [str(record.exchange).rstrip(".") for record in records]

    async def has_address(self, name: str) -> bool:
        """True if a host of this name can be reached. Raises SilentError."""
        return bool(await self._ask(name, "A") or await self._ask(name, "AAAA"))

    async def _ask(self, name: str, kind: str) -> Sequence[Any]:
        try:
            return list(await self._resolver.resolve(f"{name.rstrip('.')}.", kind, lifetime=PATIENCE, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.exception.SyntaxError, dns.name.LabelTooLong):
            return []
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise SilentError(name) from error


async def examine_domain(
    domain: str, keys: Sequence[SigningKey], *, records: Records, relay_selector: str = ""
) -> list[Finding]:
    """What is to be said of MX, SPF, DKIM and DMARC, in this order.

    `relay_selector` is where the relay's own key is published, if the relay signs.
    """
    checks = [_asked("MX", _mx(domain, records)), _asked("SPF", _spf(domain, records))]
    checks += [_asked(f"DKIM {key.selector}", _dkim(domain, key, records)) for key in keys]
    if relay_selector:
        checks.append(_asked(f"DKIM {relay_selector}", _relays_dkim(domain, relay_selector, records)))
    elif not keys:
        checks.append(_unsigned())
    return list(await asyncio.gather(*checks, _asked("DMARC", _dmarc(domain, records))))


async def _asked(part: str, check: Any) -> Finding:
    try:
        found: Finding = await check
    except SilentError as error:
        return Finding(
            part,
            f"no name server answered for {error}",
            "Try again; if it stays so, ask another with --resolver, or whoever keeps the domain's name servers.",
        )
    if not found.problem:
        found = replace(found, weight=Weight.WELL)
    return replace(found, part=part)


async def _unsigned() -> Finding:
    return Finding(
        "DKIM",
        "no key is set, so letters leave here unsigned",
        "Set VALMIUS_DKIM__SELECTOR and VALMIUS_DKIM__KEY; or, if the relay signs, name its selector with --selector.",
        Weight.ADVICE,
    )


async def _mx(domain: str, records: Records) -> Finding:
    servers = await records.mail_servers(domain)
    if not servers or servers == [""]:
        return Finding(
            "MX",
            f"{domain} names no server that takes its mail: answers and bounces find nobody",
            f"Publish an MX record for {domain} that names the server which takes its mail.",
        )
    lost = [server for server in servers if not await records.has_address(server)]
    if lost:
        return Finding("MX", f"{', '.join(lost)} has no address", "Name a server in the MX record that exists.")
    return Finding("MX")


async def _spf(domain: str, records: Records) -> Finding:
    try:
        spf = Spf(records)
        await spf.read(domain)
    except SpfError as error:
        return error.finding
    if spf.open_to_all:
        return Finding(
            "SPF",
            "the record says +all: anybody may send in your name",
            "End it with -all, and before that name only the servers that send for you.",
        )
    if not spf.closed:
        return Finding(
            "SPF",
            "the record does not say what of all other servers",
            "End it with -all, or with ~all while you try it out.",
            Weight.ADVICE,
        )
    return Finding("SPF")


class SpfError(Exception):
    """Receivers cannot use the SPF record; the finding says why."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.finding = Finding("SPF", problem, remedy)


class Spf:
    """A domain's SPF record (RFC 7208), read with all that it includes."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lookups = 0
        self.open_to_all = False
        self.closed = False

    async def read(self, domain: str, *, within: str = "") -> None:
        """Read the domain's record, or the one that the record of `within` names. Raises SpfError, SilentError."""
        for qualifier, name, value in _terms(await self._record(domain, within), domain):
            if name == "all" and not within:
                self.open_to_all, self.closed = qualifier == "+", qualifier in {"-", "~"}
            if name in _COUNTED or name == "redirect":
                self._count(within or domain)
            if name in {"include", "redirect"} and "%" not in value:
                inherits = name == "redirect" and not within
                await self.read(value, within="" if inherits else within or domain)
            if name == "all":
                return

    def _count(self, domain: str) -> None:
        self._lookups += 1
        if self._lookups > MOST_LOOKUPS:
            raise SpfError(
                f"the record of {domain} needs more than {MOST_LOOKUPS} look-ups: receivers take it for broken",
                "Remove what sends no more, and write ip4: and ip6: addresses instead of a, mx and include.",
            )

    async def _record(self, domain: str, within: str) -> str:
        found = [text for text in await self._records.texts(domain) if re.match(r"v=spf1( |$)", text, re.IGNORECASE)]
        if len(found) > 1:
            raise SpfError(
                f"{domain} publishes {len(found)} SPF records: receivers then use none",
                "Put all servers that send for you into one record, and remove the others.",
            )
        if found:
            return found[0]
        if within:
            raise SpfError(
                f"the record of {within} includes {domain}, which publishes none",
                f"Take {domain} out of the record, or correct its name.",
            )
        raise SpfError(
            f"{domain} publishes no SPF record: nobody can tell your relay from a forger",
            f'Publish a TXT record at {domain}: "v=spf1 include:<what the keeper of your relay names> -all".',
        )


def _terms(record: str, domain: str) -> list[tuple[str, str, str]]:
    """Qualifier, name and value of each term; `redirect`, which counts only without `all`, comes last."""
    terms = []
    for word in record.split()[1:]:
        parts = _TERM.fullmatch(word)
        qualifier, name, sign, value = parts.groups() if parts else ("", "", "", "")
        name = name.lower()
        if sign != "=" and name not in _COUNTED | _PLAIN:
            raise SpfError(f"the record of {domain} says {word!r}, which means nothing", "Correct or remove the word.")
        terms.append((qualifier or "+", name, value))
    return sorted(terms, key=lambda term: term[1] == "redirect")


async def _dkim(domain: str, key: SigningKey, records: Records) -> Finding:
    """The key that we sign with is the one that receivers find."""
    name = f"{key.selector}._domainkey.{domain}"
    publish = f'Publish this TXT record at {name}: "{key.record}"'
    finding, tags = await _published_key(name, records, publish=publish)
    if finding.problem:
        return finding
    if tags.get("k", "rsa") != key.kind or re.sub(r"\s", "", tags["p"]) != key.public:
        return Finding("DKIM", f"the key at {name} is not the one that letters are signed with", publish)
    return _tried_out(name, tags)


async def _relays_dkim(domain: str, selector: str, records: Records) -> Finding:
    """The relay's own key, of which only the public half can be seen."""
    name = f"{selector}._domainkey.{domain}"
    finding, tags = await _published_key(
        name, records, publish=f"Publish at {name} what the keeper of the relay names."
    )
    return finding if finding.problem else _tried_out(name, tags)


async def _published_key(name: str, records: Records, *, publish: str) -> tuple[Finding, dict[str, str]]:
    found = [_tags(text) for text in await records.texts(name)]
    if not found:
        return Finding("DKIM", f"there is no key at {name}: receivers cannot verify letters", publish), {}
    if len(found) > 1:
        return Finding("DKIM", f"there are {len(found)} records at {name}", "Keep the one of the key in use."), {}
    [tags] = found
    if not tags.get("p"):
        return Finding("DKIM", f"the key at {name} is revoked or not written out", publish), {}
    return Finding("DKIM"), tags


def _tried_out(name: str, tags: dict[str, str]) -> Finding:
    if "y" in tags.get("t", "").split(":"):
        problem = f"the key at {name} is marked as being tried out (t=y)"
        return Finding("DKIM", problem, "Remove t=y when letters verify.", Weight.ADVICE)
    return Finding("DKIM")


async def _dmarc(domain: str, records: Records) -> Finding:
    """The domain's own policy, or that of the nearest domain above it."""
    labels = domain.split(".")
    for place in range(max(1, len(labels) - 1)):
        name = f"_dmarc.{'.'.join(labels[place:])}"
        found = [_tags(text) for text in await records.texts(name) if re.match(r"v=DMARC1\s*(;|$)", text)]
        if len(found) > 1:
            return Finding(
                "DMARC", f"there are {len(found)} policies at {name}: receivers use none", "Keep one of them."
            )
        if found:
            return _policy(name, found[0], inherited=place > 0)
    return Finding(
        "DMARC",
        f"{domain} publishes no policy: large receivers refuse bulk mail without one",
        f'Publish a TXT record at _dmarc.{domain}: "v=DMARC1; p=none", and later p=quarantine or p=reject.',
    )


def _policy(name: str, tags: dict[str, str], *, inherited: bool) -> Finding:
    policy = tags.get("p", "").lower()
    if inherited:
        policy = tags.get("sp", policy).lower()
    if policy in {"quarantine", "reject"}:
        return Finding("DMARC")
    if policy == "none":
        return Finding(
            "DMARC",
            f"the policy at {name} is none: forged letters in your name are delivered",
            "When SPF and DKIM have been well for some weeks, change it to p=quarantine, then to p=reject.",
            Weight.ADVICE,
        )
    return Finding(
        "DMARC", f"the policy at {name} is {policy!r}, which means nothing", "Write p=none, quarantine or reject."
    )


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): value.strip() for name, sign, value in pairs if sign}
