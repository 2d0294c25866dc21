"""Jobs: a unit of work is called until there is no more, whoever wakes it, and a fault ends nothing."""

import asyncio
import threading

import pytest

from shared.jobs import Job, Jobs
from tests.servers import eventually


class Pile:
    """Work that is done one piece a call."""

    def __init__(self, pieces: int) -> None:
        self.left = pieces
        self.calls = 0
        self.broken = False

    async def unit(self) -> bool:
        self.calls += 1
        if self.broken:
            raise RuntimeError("the tools are broken")
        if self.left:
            self.left -= 1
        return self.left > 0

    async def empty(self) -> bool:
        return self.left == 0


async def test_what_is_due_at_start_is_done_to_the_end() -> None:
    pile, jobs = Pile(5), Jobs()
    jobs.every(3600, pile.unit)

    jobs.start()
    await eventually(pile.empty)
    await jobs.stop()

    assert pile.calls == 5


async def test_a_woken_job_looks_again_without_waiting_for_its_tick() -> None:
    pile, jobs = Pile(1), Jobs()
    job = jobs.every(3600, pile.unit)
    jobs.start()
    await eventually(pile.empty)

    pile.left = 3
    job.wake()
    await eventually(pile.empty)
    await jobs.stop()

    assert pile.left == 0


async def test_a_fault_is_logged_and_the_next_waking_finds_the_job_alive() -> None:
    pile, jobs = Pile(2), Jobs()
    pile.broken = True
    job = jobs.every(3600, pile.unit)
    jobs.start()

    async def called() -> bool:
        return pile.calls > 0

    await eventually(called)
    pile.broken = False
    job.wake()
    await eventually(pile.empty)
    await jobs.stop()

    assert pile.left == 0


async def test_stopping_waits_for_nothing_that_sleeps() -> None:
    jobs = Jobs()
    started = asyncio.Event()

    async def endless() -> bool:
        started.set()
        await asyncio.Event().wait()
        return True

    jobs.every(3600, endless)
    jobs.start()
    await started.wait()

    await asyncio.wait_for(jobs.stop(), 5)

    assert started.is_set()


async def test_a_tick_wakes_the_job_in_the_thread_of_its_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, threads = Jobs(), list[int]()

    async def woken() -> bool:
        return bool(threads)

    monkeypatch.setattr(Job, "wake", lambda _job: threads.append(threading.get_ident()))
    jobs.every(0.01, Pile(0).unit)
    jobs.start()
    await eventually(woken)
    await jobs.stop()

    assert set(threads) == {threading.get_ident()}
