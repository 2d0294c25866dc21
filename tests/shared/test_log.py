"""What is logged when something fails: where and why, and never the values that were at hand."""

import subprocess
import sys

import pytest

FAILING = """
import sys
from shared.log import configure, logger

configure(sys.argv[1])

def fail(address):
    raise RuntimeError("the relay hung up")

try:
    fail("aino@example.org")
except RuntimeError:
    logger("here").exception("letter not sent")
"""


@pytest.mark.parametrize("style", ["json", "text"])
def test_an_exception_is_told_without_the_values_of_its_variables(style: str) -> None:
    ended = subprocess.run([sys.executable, "-c", FAILING, style], capture_output=True, text=True, check=True)

    assert "letter not sent" in ended.stderr
    assert "the relay hung up" in ended.stderr
    assert "fail" in ended.stderr
    assert "aino@example.org" not in ended.stderr
