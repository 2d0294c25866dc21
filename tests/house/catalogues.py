"""Reads every text that the code and the templates mark for translation."""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract

ROOT = Path(__file__).parents[2]
KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}


def marked_texts(folder: Path) -> Iterator[tuple[str, str]]:
    """(file, text) for every marked text below the folder; of a plural, both forms."""
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.html"), *folder.rglob("*.txt")]):
        if "locale" in path.parts:
            continue
        method = "python" if path.suffix == ".py" else "jinja2.ext:babel_extract"
        with path.open("rb") as source:
            for _line, message, _comments, _context in extract(method, source, KEYWORDS, options={"trimmed": "true"}):
                for text in message if isinstance(message, tuple) else (message,):
                    yield str(path.relative_to(ROOT)), text
