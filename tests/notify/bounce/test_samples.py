"""Letters that come back as mail servers write them: each is read as its name says, and any bytes are read."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.bounce.model import Found
from services.notify.bounce.report_format import MOST_EXCERPT, read_report

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.eml"))
"""`<number>-<mail server>-<what>.<found>.eml`; the people and the machines in them are invented."""


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_letter_is_read_as_it_was_meant(sample: Path) -> None:
    report = read_report(sample.read_bytes())

    assert report.found == sample.suffixes[-2].removeprefix(".")


def test_there_are_letters_of_every_kind_and_of_the_usual_servers() -> None:
    kinds = Counter(sample.suffixes[-2].removeprefix(".") for sample in SAMPLES)
    servers = Counter(sample.name.split("-")[1] for sample in SAMPLES)

    assert len(SAMPLES) >= 60
    assert set(kinds) == set(Found)
    assert all(
        servers[name] >= 3 for name in ("postfix", "exim", "exchange", "gmail", "sendmail", "qmail", "fi", "arf")
    )


@pytest.mark.parametrize("found", [Found.HARD, Found.SOFT, Found.POLICY])
def test_a_status_says_why_without_any_address(found: Found) -> None:
    reports = [read_report(sample.read_bytes()) for sample in SAMPLES if f".{found}." in sample.name]

    assert sum(bool(report.status) for report in reports) >= 4
    assert all(set(report.status) <= set("0123456789.") for report in reports)
    assert not any("@" in report.reason for report in reports)


def test_lines_broken_by_a_line_feed_alone_are_read_alike() -> None:
    unlike = [
        sample.name
        for sample in SAMPLES
        if read_report(sample.read_bytes().replace(b"\r\n", b"\n")).found != read_report(sample.read_bytes()).found
    ]

    assert unlike == []


@given(st.binary(max_size=2_000))
def test_any_bytes_are_read(raw: bytes) -> None:
    assert read_report(raw).found in Found


@given(st.sampled_from(SAMPLES), st.integers(0, 3_000), st.integers(0, 200), st.binary(max_size=50))
def test_a_damaged_letter_is_read(sample: Path, start: int, length: int, instead: bytes) -> None:
    raw = sample.read_bytes()

    report = read_report(raw[:start] + instead + raw[start + length :])

    assert len(report.excerpt) <= MOST_EXCERPT
    assert "\x00" not in report.subject + report.excerpt


@pytest.mark.parametrize(
    "filling", [b"-", b"<", b"<style", b"\n", b"> ", b"5.1.1.", b"re: ", b"full is ", b"--x\r\n", b"\xff", b"a: b\r\n"]
)
def test_a_hostile_letter_is_read_at_once(filling: bytes) -> None:
    body = filling * (100_000 // len(filling))
    head = b"From: MAILER-DAEMON@x\r\nSubject: failure notice\r\nContent-Type: text/html; boundary=x\r\n\r\n"

    assert read_report(head + body).found is not Found.COMPLAINT


def test_parts_within_parts_have_an_end() -> None:
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth) for depth in range(900)
    )

    assert read_report(deep).found is Found.UNCLEAR
