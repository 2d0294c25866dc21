"""What is there once everything is started is never looked through again; threads take turns soon."""

import subprocess
import sys

PROGRAM = """
import gc, sys
from shared.process import THREADS_TAKE_TURNS, YOUNG, settle, take_turns

kept = [[number] for number in range(10_000)]
settle()
assert gc.get_freeze_count() > 10_000
assert gc.get_threshold()[0] == YOUNG
assert not any(one is kept for one in gc.get_objects())
take_turns()
assert abs(sys.getswitchinterval() - THREADS_TAKE_TURNS) < 1e-6
"""


def test_what_is_there_at_the_start_is_left_alone() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
