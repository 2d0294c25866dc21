"""Catalogues: every text stands in Finnish and Swedish, with the same placeholders."""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache

import pytest
from babel.messages.pofile import read_po

from shared.i18n import CATALOGUES, Locale, catalogue, texts
from tests.house.catalogues import ROOT, marked_texts

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|\{\w+\}")
UNMARKED = re.compile(r"""texts\([^()\n]*\)\(["']""")


@cache
def needed() -> Mapping[str, str]:
    """Every marked text, with the first file that marks it."""
    found: dict[str, str] = {}
    for folder in ("shared", "services"):
        for file, text in marked_texts(ROOT / folder):
            found.setdefault(text, file)
    return found


@pytest.mark.parametrize("locale", [Locale.FI, Locale.SV])
def test_every_text_is_translated(locale: Locale) -> None:
    known = {text for path in catalogue_files(locale) for text in translated(path)}

    missing = [f"{file}: {text}" for text, file in needed().items() if text not in known]

    assert missing == []


def test_every_text_that_is_said_is_marked() -> None:
    sources = [path for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py")]

    assert [str(path) for path in sources if UNMARKED.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("locale", [Locale.FI, Locale.SV, Locale.SELKO])
def test_no_translation_is_left_over(locale: Locale) -> None:
    wanted = needed()

    left_over = [text for path in catalogue_files(locale) for text in translated(path) if text not in wanted]

    assert left_over == []


@pytest.mark.parametrize("locale", [Locale.FI, Locale.SV, Locale.SELKO])
def test_placeholders_are_the_same_as_in_english(locale: Locale) -> None:
    wrong = [
        source
        for path in catalogue_files(locale)
        for source, translation in translated(path).items()
        if not agree(locale, PLACEHOLDER.findall(source), PLACEHOLDER.findall(translation))
    ]

    assert wrong == []


@pytest.mark.parametrize("locale", [Locale.FI, Locale.SV, Locale.SELKO])
def test_a_text_means_the_same_on_every_page(locale: Locale) -> None:
    meanings: defaultdict[str, set[str]] = defaultdict(set)
    for path in catalogue_files(locale):
        for source, translation in translated(path).items():
            meanings[source].add(translation)

    assert {source: said for source, said in meanings.items() if len(said) > 1} == {}


def test_easy_finnish_falls_back_to_finnish() -> None:
    easy, finnish = texts(Locale.SELKO), texts(Locale.FI)

    assert easy("Sign out") == finnish("Sign out") == "Kirjaudu ulos"
    assert catalogue(Locale.SELKO).gettext("Call %(phone)s") == "Soita %(phone)s"


def agree(locale: Locale, wanted: list[str], said: list[str]) -> bool:
    """The same placeholders; easy Finnish may leave one out, and invents none either."""
    return set(said) <= set(wanted) if locale is Locale.SELKO else sorted(said) == sorted(wanted)


def catalogue_files(locale: Locale) -> list[str]:
    """The names of a locale's catalogue files."""
    return sorted(str(path) for path in (CATALOGUES / locale / "LC_MESSAGES").glob("*.po"))


@cache
def translated(path: str) -> Mapping[str, str]:
    """Text to translation, plural forms apart, as far as it is translated."""
    with open(path, "rb") as source:  # noqa: PTH123 - babel reads an open file
        catalog = read_po(source)
    pairs: dict[str, str] = {}
    for message in catalog:
        if not message.id or not message.string:
            continue
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        pairs.update(zip(ids, strings, strict=False))
    return pairs
