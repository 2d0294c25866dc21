"""Model of Markdown: HTML that can do no harm, and plain text for a letter's text part."""

from collections.abc import Sequence
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "h3", "h4", "blockquote", "hr", "a", "code", "pre"}
SCHEMES = {"https", "http", "mailto", "tel"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}

_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable("image")


@lru_cache(maxsize=256)
def html_of(markdown: str) -> str:
    """HTML of a few harmless tags: no raw HTML, no script, no image, links only to the web, mail and telephone."""
    tokens = _markdown.parse(markdown)
    _lower_headings(tokens)
    rendered = _markdown.renderer.render(tokens, _markdown.options, {})
    return nh3.clean(
        rendered,
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes=SCHEMES,
        attribute_filter=_whole_address,
        link_rel="noopener noreferrer",
    )


def plain_of(markdown: str) -> str:
    """The same as plain text: lists with their marks, links followed by their address."""
    lines: list[str] = []
    marks: list[str] = []
    numbers: list[int | None] = []
    for token in _markdown.parse(markdown):
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                first = int(token.attrGet("start") or 1) if token.type == "ordered_list_open" else None
                numbers.append(first)
            case "bullet_list_close" | "ordered_list_close":
                numbers.pop()
                if not numbers:
                    lines.append("")
            case "list_item_open":
                number = numbers[-1]
                marks.append("  " * (len(numbers) - 1) + ("- " if number is None else f"{number}. "))
                numbers[-1] = None if number is None else number + 1
            case "inline":
                lines += _indented(_words(token.children or ()), marks, len(numbers))
            case "fence" | "code_block":
                lines += [token.content.rstrip(), ""]
            case "paragraph_close" | "heading_close" if not numbers:
                lines.append("")
            case "hr":
                lines += ["---", ""]
            case _:
                continue
    return "\n".join(lines).strip()


def _lower_headings(tokens: Sequence[Token]) -> None:
    """The text's own headings come below the guidance's h2: h3, and h4 for those deeper than its first."""
    first = ""
    for token in tokens:
        if token.tag in HEADINGS:
            first = first or token.tag
            token.tag = "h3" if token.tag <= first else "h4"


def _whole_address(_tag: str, attribute: str, value: str) -> str | None:
    """A link as it is if it names its scheme: a relative one would lead nowhere in a letter."""
    return value if attribute != "href" or value.partition(":")[0].lower() in SCHEMES else None


def _indented(text: str, marks: list[str], depth: int) -> list[str]:
    """The lines of one block, the first behind its list mark, the others below it."""
    mark = marks.pop() if marks else "  " * depth
    first, *others = text.split("\n")
    return [mark + first, *(" " * len(mark) + line for line in others)]


def _words(tokens: Sequence[Token]) -> str:
    words: list[str] = []
    address = ""
    for token in tokens:
        match token.type:
            case "text" | "code_inline":
                words.append(token.content)
            case "softbreak" | "hardbreak":
                words.append("\n")
            case "link_open":
                address = str(token.attrGet("href") or "")
            case "link_close":
                if words[-1:] != [address.removeprefix("mailto:")]:
                    words.append(f" ({address})")
            case _:
                continue
    return "".join(words)
