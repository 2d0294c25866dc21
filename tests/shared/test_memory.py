"""What is there once everything is started is never looked through again."""

import subprocess
import sys

PROGRAM = """
import gc
from shared.memory import YOUNG, settle

kept = [[number] for number in range(10_000)]
settle()
assert gc.get_freeze_count() > 10_000
assert gc.get_threshold()[0] == YOUNG
assert not any(one is kept for one in gc.get_objects())
"""


def test_what_is_there_at_the_start_is_left_alone() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
