"""Html format: what an editor wrote, as it may stand in a letter."""

import re
import textwrap

import nh3


def safe_html(html: str) -> str:
    """The editor's HTML once more through the sieve, and folded where a line break means no more than a space."""
    clean = nh3.clean(html, url_schemes={"http", "https", "mailto", "tel"})
    if "<pre" in clean:
        return clean
    parts = re.split(r"(<[^>]*>)", clean)
    parts[::2] = [_folded(part) for part in parts[::2]]
    return re.sub(r"(</(?:p|li|ul|ol|h\d|blockquote)>)", "\\1\n", "".join(parts))


def _folded(text: str) -> str:
    if len(text) <= 200:
        return text
    lines = textwrap.wrap(
        text, 200, break_long_words=False, break_on_hyphens=False, drop_whitespace=False, replace_whitespace=False
    )
    return "\n".join(lines)
