"""Reading the answer form: any bytes are read, nothing beyond its limits is taken, and what is wrong is told."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.checkin.answer_form import CODES, WRITTEN_LIMIT, Form, List, Marks, read_form
from services.intake.checkin.model import AMOUNT_LIMIT, NOTE_LIMIT, Said
from shared.events.intake import Amount, OperatingStatus

texts = st.text(max_size=60)
fields = st.sampled_from(
    ["status", "until", "note", "plan", "checkin_id", "offer", "need", "offer-first-aid", "need-transport", "x"]
)
values = st.one_of(
    texts, st.integers(-10, 10_000_000).map(str), st.sampled_from(["normal", "today", "yes", "first-aid", "transport"])
)
amounts = st.lists(
    st.builds(Amount, capability=st.sampled_from(CODES), amount=st.none() | st.integers(1, AMOUNT_LIMIT)),
    unique_by=lambda one: one.capability,
).map(tuple)


def sent(*pairs: tuple[str, str]) -> bytes:
    return urlencode(pairs, errors="replace").encode()


def assert_within_limits(form: Form) -> None:
    for marks in (form.offers, form.needs):
        assert marks.marked <= set(CODES)
        assert marks.written.keys() <= marks.marked
        assert all(0 < len(text) <= WRITTEN_LIMIT for text in marks.written.values())
        assert (
            len({one.capability for one in marks.amounts}) == len(marks.amounts) == len(marks.marked - {*marks.wrong})
        )
        assert all(one.amount is None or 1 <= one.amount <= AMOUNT_LIMIT for one in marks.amounts)
    assert form.wrong or len(form.note) <= NOTE_LIMIT
    assert "\x00" not in form.note


@given(st.binary(max_size=300))
def test_no_body_is_unreadable(body: bytes) -> None:
    assert_within_limits(read_form(body))


@given(st.lists(st.tuples(fields, values), max_size=40))
def test_nothing_beyond_the_limits_is_taken(pairs: list[tuple[str, str]]) -> None:
    assert_within_limits(read_form(sent(*pairs)))


@given(amounts, amounts)
def test_a_form_that_repeats_an_answer_says_the_same(offers: tuple[Amount, ...], needs: tuple[Amount, ...]) -> None:
    form = Form.after(Said(status=OperatingStatus.LIMITED, offers=offers, needs=needs))
    pairs = [("status", "limited")]
    for which in List:
        pairs += [(which, code) for code in form.marks(which).marked]
        pairs += [(f"{which}-{code}", text) for code, text in form.marks(which).written.items()]

    read = read_form(sent(*pairs))

    assert read.wrong == ()
    assert set(read.offers.amounts) == set(offers)
    assert set(read.needs.amounts) == set(needs)


@given(st.text(max_size=100))
def test_a_message_keeps_its_words(words: str) -> None:
    form = read_form(sent(("note", words), ("status", "normal")))

    assert form.note.split() == read_form(sent(("note", form.note))).note.split()
    assert form.status == "normal"


@pytest.mark.parametrize("body", [b"status=fine", b"status=", b"", b"&" * 500, b"status=normal&" + b"a=1&" * 130])
def test_what_is_none_of_the_choices_counts_as_not_chosen(body: bytes) -> None:
    assert read_form(body).status is None


def test_the_whole_form_filled_in_is_read() -> None:
    lists = [(which.value, code) for which in List for code in CODES]
    amounts = [(f"{which}-{code}", "2") for which in List for code in CODES]
    rest = [("checkin_id", "0" * 32), ("status", "normal"), ("until", "today"), ("plan", "no"), ("note", "x")]

    form = read_form(sent(*rest, *lists, *amounts))

    assert (form.wrong, form.plan, form.note) == ((), False, "x")
    assert form.offers.amounts == form.needs.amounts == tuple(Amount(capability=code, amount=2) for code in CODES)


@pytest.mark.parametrize(
    ("written", "amount"),
    [("", None), ("1", 1), ("007", 7), ("1 000", 1000), ("1\u00a0000\u202f000", 1_000_000), (" 12\r\n", 12)],
)
def test_an_amount_is_read_as_people_write_it(written: str, amount: int | None) -> None:
    form = read_form(sent(("need", "transport"), ("need-transport", written)))

    assert form.needs.amounts == (Amount(capability="transport", amount=amount),)


@pytest.mark.parametrize("written", ["0", "-1", "1000001", "kolme", "2,5", "1e3", "٣", "9" * 5000, "2 autoa"])
def test_what_is_no_amount_is_told_and_kept(written: str) -> None:
    form = read_form(sent(("status", "normal"), ("offer", "transport"), ("offer-transport", written)))

    [wrong] = form.wrong
    assert (wrong.field, wrong.capability) == ("offer-transport", "transport")
    assert form.offers.written == {"transport": written[:WRITTEN_LIMIT]}
    assert form.offers.amounts == ()


def test_an_amount_without_its_mark_says_nothing() -> None:
    form = read_form(sent(("status", "normal"), ("offer-transport", "2"), ("need-transport", "kaksi")))

    assert form.wrong == ()
    assert form.offers == form.needs == Marks()


def test_all_that_is_wrong_is_told_from_the_top_of_the_page() -> None:
    form = read_form(
        sent(
            ("note", "x" * (NOTE_LIMIT + 1)),
            ("offer", "search"),
            ("offer-search", "?"),
            ("need", "search"),
            ("need-search", "?"),
        )
    )

    assert [one.field for one in form.wrong] == ["status", "need-search", "offer-search", "note"]


def test_the_form_begins_with_what_is_offered_and_needed_and_nothing_else() -> None:
    said = Said(
        status=OperatingStatus.NORMAL, note="x", plan=True, offers=(Amount(capability="premises", amount=1000),)
    )

    form = Form.after(said)

    assert (form.status, form.note, form.plan) == (None, "", None)
    assert form.offers == Marks(frozenset({"premises"}), {"premises": "1000"})
