"""HTML text format: the text of a letter that came as HTML, with what it quotes marked as in plain mail."""

import re
from html.parser import HTMLParser

MOST = 300_000
"""Characters of HTML that are read: a reply of two words and everything that it quotes is a tenth of it."""

_HIDDEN = frozenset({"head", "style", "script", "title", "template", "noscript"})
_BLOCKS = frozenset(
    {"p", "div", "tr", "table", "ul", "ol", "li", "h1", "h2", "h3", "h4", "pre", "section", "article", "hr"}
)
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")


class _Text(HTMLParser):
    """Collects lines; in a quotation each begins with `> `."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._line = ""
        self._hidden = 0
        self._quoted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - HTMLParser's name
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "blockquote":
            self.end_line()
            self._quoted += 1
        elif tag == "br":
            self.end_line(kept=True)
        elif tag in _BLOCKS:
            self.end_line(kept=tag in {"p", "hr"})

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "blockquote":
            self.end_line()
            self._quoted = max(0, self._quoted - 1)
            self.lines.append("")
        elif tag in _BLOCKS:
            self.end_line(kept=tag == "p")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._line += _SPACE.sub(" ", data)

    def end_line(self, *, kept: bool = False) -> None:
        """End the line; an empty one stands only where it was meant."""
        line = self._line.strip()
        self._line = ""
        if line or kept:
            self.lines.append(f"> {line}" if self._quoted else line)


def html_text(html: str) -> str:
    """The text that a reader of this HTML sees, line by line."""
    reader = _Text()
    reader.feed(html[:MOST])
    reader.close()
    reader.end_line()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(reader.lines)).strip()
