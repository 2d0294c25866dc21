"""Plays the storm evening: associations answer over time, through the same public doors as anybody."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import httpx

from services.demo.registry import demo_associations
from services.demo.storm import Answer, Asked, storm_evening
from shared.answer_door import AnswerDoor, FilledIn, NotTakenError
from shared.clock import Clock
from shared.events.intake import OperatingStatus

ANSWER_LINK = re.compile(r"/c/[\w-]{20,}")
PAGE = 500
AT_ONCE = 50


class NothingAskedError(Exception):
    """No letter with an answer link has come: no round is open, or its letters are not sent yet."""


@dataclass
class Played:
    """How far the evening is."""

    asked: int
    answers: int
    sent: int = 0
    refused: int = 0
    now_at: timedelta = field(default_factory=timedelta)


async def answer_links(mail: httpx.AsyncClient) -> dict[str, str]:
    """The newest answer link of each address in the catcher, as a path. Reads page by page."""
    links: dict[str, str] = {}
    after = 0
    while letters := (await mail.get("/api/letters", params={"after": after, "limit": PAGE})).json()["letters"]:
        for letter in letters:
            for link in letter["links"]:
                if found := ANSWER_LINK.search(link):
                    links[letter["to"]] = found.group()
        after = letters[-1]["id"]
    return links


def asked_of(links: dict[str, str], seed: int) -> Sequence[Asked[str]]:
    """The demo associations that have a link, in the registry's order."""
    return [
        Asked(key=links[association.email], municipality=association.municipality)
        for association in demo_associations(seed)
        if association.email in links
    ]


async def play(
    public_url: str, mail_url: str, *, speed: float, seed: int, registry_seed: int, clock: Clock
) -> AsyncIterator[Played]:
    """Answer as the storm evening's model says, `speed` times faster than time; yields how far it is.

    Raises NothingAskedError where no letter asks anybody. A refused answer is counted, not repeated.
    """
    async with httpx.AsyncClient(base_url=mail_url, timeout=30) as mail:
        links = await answer_links(mail)
    asked = asked_of(links, registry_seed)
    if not asked:
        raise NothingAskedError("no letter in the catcher asks a demo association anything; open a round first")
    answers = storm_evening(asked, seed)
    played = Played(asked=len(asked), answers=len(answers))
    yield played
    began = clock.now()
    async with AnswerDoor(public_url) as door:
        for group in _groups(answers, every=timedelta(seconds=speed / 4)):
            wait = group[0].at / speed - (clock.now() - began)
            if wait > timedelta():
                await clock.sleep(wait.total_seconds())
            await _send(door, group, played)
            played.now_at = group[-1].at
            yield played


def _groups(answers: Sequence[Answer[str]], *, every: timedelta) -> Sequence[Sequence[Answer[str]]]:
    """The answers of each quarter of a second of playing, at most AT_ONCE together; nobody answers twice in one."""
    groups: list[list[Answer[str]]] = []
    for answer in answers:
        group = groups[-1] if groups else []
        room = 0 < len(group) < AT_ONCE and answer.at - group[0].at < every
        if room and all(answer.key != other.key for other in group):
            group.append(answer)
        else:
            groups.append([answer])
    return groups


async def _send(door: AnswerDoor, group: Sequence[Answer[str]], played: Played) -> None:
    taken = await asyncio.gather(*(_taken(door, answer) for answer in group))
    played.sent += sum(taken)
    played.refused += len(group) - sum(taken)


async def _taken(door: AnswerDoor, answer: Answer[str]) -> bool:
    try:
        await door.send(answer.key, FilledIn(uuid4(), OperatingStatus(answer.status)))
    except NotTakenError:
        return False
    return True
