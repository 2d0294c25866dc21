"""Process: how the interpreter shares its time between threads, and with the collector of reference cycles."""

import gc
import sys
from typing import Final

YOUNG: Final = 20_000
"""New objects until the collector looks at them. The default, 700, is less than what one page is made of."""

THREADS_TAKE_TURNS: Final = 0.001
"""Seconds after which a busy thread lets another run. Python's own 5 ms is what each write and each signature would
wait for."""


def settle() -> None:
    """Call it once everything is started: the tens of thousands of objects that are there now are never looked at
    again. Else each full collection stops the process for a fifth of a second, in the middle of a crowd's answers."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)


def take_turns() -> None:
    """Call it first of all: threads that wait for the loop's thread get their turn soon."""
    sys.setswitchinterval(THREADS_TAKE_TURNS)
