"""Markdown never becomes a script, and reads well as plain text."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.markdown.model import SCHEMES, TAGS, html_of, plain_of

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[here](javascript:alert(1))",
    "[here](JaVaScRiPt:alert(1))",
    "[here](java&#115;cript:alert(1))",
    "[here](data:text/html;base64,PHNjcmlwdD4=)",
    "[here](vbscript:x)",
    '[here](https://example.org "x" onclick=alert(1))',
    "<a href='javascript:alert(1)'>x</a>",
    "<javascript:alert(1)>",
    "![x](https://example.org/pixel.png)",
    "![x](javascript:alert(1))",
    "[x]: javascript:alert(1)\n\n[x]",
    "<iframe src='https://example.org'></iframe>",
    "<style>body{display:none}</style>",
    "```<script>\nalert(1)\n```",
    "`<svg onload=alert(1)>`",
    "[x](//example.org)",
    "<!-- --><math><mi//xlink:href='data:x'>",
]


class Harmless(HTMLParser):
    """Fails on any tag, attribute or address that we did not permit."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        for name, value in attrs:
            assert (tag, name) in {("a", "href"), ("a", "rel")}
            if name == "href":
                assert str(value).partition(":")[0].lower() in SCHEMES


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_survives(attack: str) -> None:
    Harmless().feed(html_of(f"Hei {attack} hei"))
    Harmless().feed(html_of(attack))


@given(st.lists(st.sampled_from([*ATTACKS, "\n", "\n\n", "- ", "> ", "**", "[", "](", ")", "<", "a"]), max_size=12))
def test_no_mixture_of_attacks_survives(parts: list[str]) -> None:
    text = "".join(parts)

    Harmless().feed(html_of(text))

    assert "\r" not in plain_of(text)


@given(st.text(max_size=300))
def test_any_text_can_be_shown(text: str) -> None:
    Harmless().feed(html_of(text))
    plain_of(text)


def test_what_people_write_looks_as_they_mean_it() -> None:
    html = html_of(
        "# Näin toimitte\n\nPitäkää **radio** päällä.\nKysykää [meiltä](https://example.org/a?b=1)."
        "\n\n1. yksi\n2. kaksi"
    )

    assert "<h3>Näin toimitte</h3>" in html
    assert "<strong>radio</strong> päällä.<br>" in html
    assert '<a href="https://example.org/a?b=1" rel="noopener noreferrer">meiltä</a>' in html
    assert "<ol>\n<li>yksi</li>\n<li>kaksi</li>\n</ol>" in html


def test_plain_text_keeps_lists_and_addresses() -> None:
    text = (
        "## Näin\n\nPitäkää **radio** päällä.\nKysykää [meiltä](https://example.org) tai <apu@example.org>.\n\n"
        "3. kolmas\n4. neljäs\n   - sisempi\n\n---\n\n> lainaus\n\n```\nkoodi\n```"
    )

    assert plain_of(text) == (
        "Näin\n\nPitäkää radio päällä.\nKysykää meiltä (https://example.org) tai apu@example.org.\n\n"
        "3. kolmas\n4. neljäs\n  - sisempi\n\n---\n\nlainaus\n\nkoodi"
    )


@pytest.mark.parametrize(
    ("text", "levels"),
    [("# a\n\n## b\n\n# c", ["h3", "h4", "h3"]), ("### a\n\n# b\n\n#### c", ["h3", "h3", "h4"]), ("a\n=\n", ["h3"])],
)
def test_headings_come_below_the_headline_and_skip_no_level(text: str, levels: list[str]) -> None:
    assert re.findall(r"<(h\d)>", html_of(text)) == levels
