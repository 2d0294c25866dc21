"""Over two hundred replies as mail programs write them: each is read as its name says, and none is guessed."""

from collections import Counter
from pathlib import Path

import pytest

from services.intake.reply.grammar import read_words
from services.intake.reply.mail_text import read_letter

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.eml"))
"""`<number>-<language>-<mail program>-<what>.<reading>.eml`; the people in them are invented."""

READINGS = ("normal", "limited", "suspended", "tray", "automatic")


def expected(sample: Path) -> str:
    return sample.suffixes[-2].removeprefix(".")


def reading(raw: bytes) -> str:
    """What becomes of this letter while its round is open."""
    letter = read_letter(raw)
    if letter.automatic:
        return "automatic"
    assert not letter.unreadable
    return read_words(letter.words) or "tray"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_reply_is_read_as_it_was_meant(sample: Path) -> None:
    assert reading(sample.read_bytes()) == expected(sample)


def test_no_quotation_is_taken_for_the_writers_own_words() -> None:
    ours = [sample.name for sample in SAMPLES if "valmius@" in read_letter(sample.read_bytes()).words]

    assert ours == []


def test_there_are_replies_of_every_kind_language_and_program() -> None:
    kinds = Counter(expected(sample) for sample in SAMPLES)
    languages = Counter(sample.name.split("-")[1] for sample in SAMPLES)

    assert len(SAMPLES) >= 200
    assert set(kinds) == set(READINGS)
    assert min(kinds.values()) >= 15
    assert {"fi", "selko", "sv", "en"} == set(languages)
    for program in ("gmail", "outlook", "apple", "samsung", "bird"):
        assert sum(f"-{program}-" in sample.name for sample in SAMPLES) >= 8


def test_lines_broken_by_a_line_feed_alone_are_read_alike() -> None:
    unlike = [
        sample.name for sample in SAMPLES if reading(sample.read_bytes().replace(b"\r\n", b"\n")) != expected(sample)
    ]

    assert unlike == []
