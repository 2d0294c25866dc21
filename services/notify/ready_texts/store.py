"""Store of the ready texts: one file for each situation, read once."""

import re
from functools import cache
from pathlib import Path

from services.notify.ready_texts.model import ReadyText, Words
from shared.i18n import Locale

FOLDER = Path(__file__).parent / "texts"
_HEAD = re.compile(r"valid_hours: (\d+)\s*")
_LANGUAGE = re.compile(r"^# (fi@selko|fi|sv|en): (.+)$", re.MULTILINE)


class ReadyTextError(ValueError):
    """A file of a ready text is not as it must be."""


@cache
def ready_texts() -> dict[str, ReadyText]:
    """All ready texts by their names, sorted. Raises ReadyTextError for a file that is wrong."""
    return {path.stem: read(path.stem, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.md"))}


def read(name: str, file: str) -> ReadyText:
    """One ready text: the hours for which it holds, then `# <language>: <headline>` and its Markdown, four times.

    Raises ReadyTextError when hours, a language or a text are missing.
    """
    head, *parts = _LANGUAGE.split(file)
    hours = _HEAD.fullmatch(head)
    if hours is None:
        raise ReadyTextError(f"{name}: it must begin with valid_hours")
    texts = {
        Locale(language): Words(headline.strip(), text.strip())
        for language, headline, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }
    missing = [locale for locale in Locale if locale not in texts or not texts[locale].text]
    if missing:
        raise ReadyTextError(f"{name}: nothing in {', '.join(missing)}")
    return ReadyText(name, int(hours[1]), texts)
