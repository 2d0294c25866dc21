"""What a row of a list would do: every state of an address, with and without an earlier erasure."""

from hypothesis import given
from hypothesis import strategies as st

from services.notify.subscriber_file.model import Barred, Changed, Listed, New, Present, Same, decide
from services.notify.subscribers.model import State
from shared.ids import new_id

ROW = Listed(2, "aino@example.org")


@given(st.sampled_from(State), st.booleans(), st.booleans())
def test_only_a_new_address_or_one_that_waits_is_ever_written(state: State, has_left: bool, erased: bool) -> None:
    present = Present(new_id(), state, has_left=has_left)

    decision = decide(ROW, present, erased=erased)

    waits = state is State.PENDING and not has_left and not erased
    assert isinstance(decision, Changed) == waits
    assert isinstance(decision, Same) == (state is State.CONFIRMED and not erased)
    assert not erased or isinstance(decision, Barred)


def test_an_address_that_nobody_knows_is_new_unless_it_was_erased() -> None:
    assert isinstance(decide(ROW, None, erased=False), New)
    assert isinstance(decide(ROW, None, erased=True), Barred)
