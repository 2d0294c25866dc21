"""The order in which contacts are asked."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.intake.contacts.model import moved, without

orders = st.lists(st.integers(1, 99).map(lambda number: UUID(int=number)), min_size=1, unique=True)


@given(orders, st.data(), st.integers(-5, 5))
def test_moving_keeps_everybody_and_the_order_of_the_others(order: list[UUID], data: st.DataObject, by: int) -> None:
    which = data.draw(st.sampled_from(order))

    after = moved(order, which, by=by)

    assert without(after, which) == without(order, which)
    assert after.index(which) == min(max(order.index(which) + by, 0), len(order) - 1)


@given(orders, st.data())
def test_one_up_and_one_down_is_as_before(order: list[UUID], data: st.DataObject) -> None:
    which = data.draw(st.sampled_from(order[1:] or order))
    if order.index(which) == 0:
        return

    assert moved(moved(order, which, by=-1), which, by=1) == tuple(order)
