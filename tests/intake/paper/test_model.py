"""The link on a sheet, and what a typed row says."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.paper.model import NOTE_LIMIT, Typed, in_fours, paper_recipient, paper_token
from services.intake.paper.qr_svg import qr_svg
from shared.events.intake import OperatingStatus
from shared.ids import new_id

SECRET = "a secret of at least thirty-two characters"


@given(st.uuids(), st.uuids())
def test_a_sheets_token_is_its_own_and_the_same_each_time(one: UUID, other: UUID) -> None:
    token = paper_token(SECRET, one)

    assert token == paper_token(SECRET, one)
    assert re.fullmatch("[a-z2-7]{20}", token)
    assert (token == paper_token(SECRET, other)) is (one == other)
    assert token != paper_token(SECRET + "!", one)
    assert in_fours(token).replace(" ", "") == token


def test_the_link_on_paper_is_for_nobody_in_person() -> None:
    invitation_id = new_id()

    assert paper_recipient(invitation_id) == paper_recipient(invitation_id) != invitation_id


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        (Typed("1"), True),
        (Typed("3", "Sähköt poikki"), True),
        (Typed("4"), False),
        (Typed("", "Sähköt poikki"), False),
        (Typed("1", "x" * (NOTE_LIMIT + 1)), False),
    ],
)
def test_a_row_is_right_with_one_of_three_boxes(typed: Typed, *, right: bool) -> None:
    assert (typed.wrong == "") is right


def test_the_boxes_are_numbered_as_in_the_letter() -> None:
    assert [Typed(box).said().status for box in "123"] == list(OperatingStatus)


def test_the_code_is_drawn_without_any_style() -> None:
    drawing = qr_svg("https://valmius.example.org/c/abcd")

    assert drawing.startswith("<svg")
    assert "style" not in drawing
    assert "href" not in drawing
