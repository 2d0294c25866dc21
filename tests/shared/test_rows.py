"""Rows in one step: what comes out is what was put in, whatever it is, on either database."""

import asyncio
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import JSON, Connection, bindparam, select
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from shared.db import Database, UtcDateTime
from shared.rows import RowReader, RowWriter
from tests.fakes import STORM_EVENING


class Kept(SQLModel, registry=registry()):
    """The tables of this test."""


class Unfit(Kept, table=True):
    """What is not for JSON."""

    id: UUID = Field(primary_key=True)
    fraction: float
    secret: bytes


class Thing(Kept, table=True):
    """One of each kind of column that there is."""

    id: UUID = Field(primary_key=True)
    run: int = Field(primary_key=True)
    name: str
    amount: int | None = None
    yes: bool = False
    at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    parts: list[Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))


COLUMNS = ("id", "run", "name", "amount", "yes", "at", "parts")
write = RowWriter(Thing)
write_once = RowWriter(Thing, rest=lambda statement: statement.on_conflict_do_nothing())
add = RowWriter(
    Thing,
    (*COLUMNS[:3], "amount", "yes"),
    lambda statement: statement.on_conflict_do_update(
        index_elements=["id", "run"], set_={"amount": col(Thing.amount) + statement.excluded.amount}
    ),
)
read = RowReader(
    select(*(col(getattr(Thing, name)) for name in COLUMNS))
    .where(col(Thing.run) == bindparam("run"), col(Thing.id).in_(bindparam("ids", expanding=True)))
    .order_by(col(Thing.id))
)
runs = itertools.count(1)

texts = st.text(max_size=20) | st.sampled_from(["a\0b", "\u2028", "'\"\\", '[1, "x"]', "null"])
values = st.fixed_dictionaries(
    {
        "name": texts,
        "amount": st.none() | st.integers(-(2**31), 2**31 - 1),
        "yes": st.booleans(),
        "at": st.none() | st.datetimes(timezones=st.just(UTC)),
        "parts": st.none() | st.lists(texts | st.integers(0, 9) | st.dictionaries(st.sampled_from("ab"), texts)),
    }
)


def test_what_is_put_in_comes_out(each_database: str) -> None:
    store = Database(each_database)

    @given(st.dictionaries(st.uuids(), values, max_size=12))
    def always(things: dict[UUID, dict[str, Any]]) -> None:
        if store.dialect == "postgresql":  # which knows no NUL
            things = {id_: one for id_, one in things.items() if "\\x00" not in ascii(one)}
        run = next(runs)
        rows = [{"id": id_, "run": run, **one} for id_, one in sorted(things.items())]

        runner.run(store.write_many(writing, rows))

        found = runner.run(store.look(lambda connection: read(connection, run=run, ids=list(things))))
        assert [row._asdict() for row in found] == rows

    with asyncio.Runner() as runner:
        runner.run(store.create_tables(Kept.metadata))
        always()
        runner.run(store.close())


async def test_a_row_that_is_there_is_left_or_added_to(each_database: str) -> None:
    store = Database(each_database)
    await store.create_tables(Kept.metadata)
    rows: list[dict[str, Any]] = [
        {"id": UUID(int=n), "run": 0, "name": "x", "amount": n, "yes": True, "at": at, "parts": None}
        for n, at in ((1, None), (2, STORM_EVENING))
    ]

    async def amounts() -> list[int]:
        ids = [UUID(int=n) for n in range(5)]
        return [row.amount for row in await store.look(lambda connection: read(connection, run=0, ids=ids))]

    def again(connection: Connection, things: Sequence[dict[str, Any]]) -> list[None]:
        write_once(connection, [{**one, "amount": 99} for one in things])
        return [None] * len(things)

    def more(connection: Connection, things: Sequence[dict[str, Any]]) -> list[None]:
        add(connection, things)
        return [None] * len(things)

    await store.write_many(writing, rows)
    await store.write_many(again, rows)
    assert await amounts() == [1, 2]

    await store.write_many(more, [*rows, {**rows[0], "id": UUID(int=3)}])
    assert await amounts() == [2, 4, 1]
    await store.close()


def writing(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[None]:
    write(connection, rows)
    return [None] * len(rows)


@pytest.mark.parametrize("name", ["fraction", "secret"])
def test_what_would_come_out_changed_is_refused_at_once(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        RowReader(select(col(getattr(Unfit, name))))
    with pytest.raises(TypeError, match=name):
        RowWriter(Unfit, ("id", name))
