"""The rules of what a code means and of what follows, without any database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.bounce.model import SOFT_DAYS, Follows, Found, Report, Returned, code_in, follows, meaning
from services.notify.delivery.model import REPORTED, Kind
from shared.ids import new_id


def returned(found: Found, kind: Kind = Kind.GUIDANCE, *, realm: str = "live") -> Returned:
    return Returned(1, realm, new_id(), new_id(), kind, Report(found))


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("5.1.1", Found.HARD),
        ("5.4.4", Found.HARD),
        ("550", Found.HARD),
        ("5.2.2", Found.SOFT),
        ("5.4.7", Found.SOFT),
        ("4.4.1", Found.SOFT),
        ("452", Found.SOFT),
        ("5.7.1", Found.POLICY),
        ("5.6.0", Found.POLICY),
        ("5.1.8", Found.POLICY),
        ("5.7.13", Found.HARD),
    ],
)
def test_a_code_has_a_meaning_for_the_address(code: str, found: Found) -> None:
    assert meaning(code) is found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("smtp; 550 5.1.1 <aino@example.org>: unknown", "5.1.1"),
        ("550-5.1.1 The account", "5.1.1"),
        ("smtp; 550 5.0.0 then 5.7.1", "5.7.1"),
        ("smtp; 552 over quota", "552"),
        ("5.0.0", "5.0.0"),
        ("250 2.1.5 OK", ""),
        ("Exim 4.96.1 at 4.192.0.2, in 450", ""),
        ("host 5.1.1.7 in 550ms", ""),
    ],
)
def test_the_code_that_gives_the_reason_is_found_in_a_text(text: str, code: str) -> None:
    assert code_in(text) == code


@pytest.mark.parametrize("kind", sorted(REPORTED))
@pytest.mark.parametrize("found", list(Found))
def test_a_contact_is_never_blocked(found: Found, kind: Kind) -> None:
    assert follows(returned(found, kind), soft_days=99) == Follows(tell=found.returned)


@given(st.sampled_from(Found), st.sampled_from(sorted(set(Kind) - REPORTED)), st.integers(0, 99))
def test_an_exercise_changes_no_subscription(found: Found, kind: Kind, days: int) -> None:
    then = follows(returned(found, kind, realm="ex-autumn"), soft_days=days)

    assert then == Follows()


def test_a_subscriber_is_worn_out_on_the_last_day_and_not_before() -> None:
    before, then = (follows(returned(Found.SOFT), soft_days=days) for days in (SOFT_DAYS - 1, SOFT_DAYS))

    assert (before.suppress, then.suppress) == (False, True)


@pytest.mark.parametrize("kind", [Kind.SIGN_IN, Kind.REPLY_RECORDED])
def test_other_letters_change_nobody(kind: Kind) -> None:
    assert follows(returned(Found.HARD, kind), soft_days=9) == Follows()
