"""The audit's chain: what was changed, taken away, added or moved shows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.audit import Deed, Head, Link, first_break, link
from tests.fakes import STORM_EVENING


def chain(length: int) -> tuple[list[Link], Head]:
    links: list[Link] = []
    head = Head()
    for number in range(length):
        deed = Deed(STORM_EVENING + timedelta(minutes=number), "signed_in", None, f"session {number}", {"n": number})
        links.append(link(head, deed))
        head = Head(links[-1].number, links[-1].hash)
    return links, head


def changed(links: list[Link], place: int, **values: object) -> list[Link]:
    deed = replace(links[place].deed, **values)  # type: ignore[arg-type]
    return [*links[:place], replace(links[place], deed=deed), *links[place + 1 :]]


def test_an_untouched_chain_is_whole() -> None:
    assert first_break(*chain(0)) is None
    assert first_break(*chain(5)) is None


@pytest.mark.parametrize(
    ("tampered", "found"),
    [
        (lambda links: changed(links, 2, subject="another"), 3),
        (lambda links: changed(links, 0, act="signed_out"), 1),
        (lambda links: changed(links, 4, at=STORM_EVENING), 5),
        (lambda links: changed(links, 1, details={"n": 99}), 2),
        (lambda links: links[:2] + links[3:], 3),
        (lambda links: links[1:], 1),
        (lambda links: links[:-1], 5),
        (lambda links: links[:0], 1),
        (lambda links: [links[1], links[0], *links[2:]], 1),
        (lambda links: [*links, replace(links[-1], number=6)], 6),
    ],
)
def test_a_touched_chain_shows_where(tampered: Callable[[list[Link]], list[Link]], found: int) -> None:
    links, head = chain(5)

    assert first_break(tampered(links), head) == found


def test_a_chain_written_anew_from_a_row_on_does_not_meet_its_head() -> None:
    links, head = chain(3)
    forged = link(Head(2, links[1].hash), replace(links[2].deed, subject="another"))

    assert first_break([*links[:2], forged], head) == 4
