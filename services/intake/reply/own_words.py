"""Own words format: what the writer of a reply wrote anew, without what was quoted, signed or forwarded."""

import re
from itertools import pairwise

MOST_LINES = 2000

_QUOTED = re.compile(r"^\s*(?:>|\|\s)")
_SIGNATURE = re.compile(r"^-- ?$|^_{2,9}$")
_MOBILE = re.compile(
    r"^\W*(?:lähetetty\b.{0,80}(?:sta|stä|lla|llä|lta|ltä|ani|een|sta\.|stani|lle|in|android|windowsille)"
    r"|hanki outlook\b.{0,60}|skicka(?:t|des) från\b.{0,80}|hämta outlook\b.{0,60}|sent from\b.{0,80}"
    r"|sent (?:with|via)\b.{0,80}|get outlook\b.{0,60}|lähetetty laitteesta\b.{0,80}|sänt från\b.{0,80})\W*$",
    re.IGNORECASE,
)
_DIVIDER = re.compile(
    r"^\s*[-_*=]{2,}\s*(?:alkuperäinen viesti|original ?message|ursprungligt meddelande|originalmeddelande"
    r"|välitetty viesti|forwarded message|vidarebefordrat meddelande|edelleen lähetetty viesti|lähetetty viesti"
    r"|reply message|vastausviesti)\s*[-_*=]{2,}\s*$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"^\s*(?:välitetty viesti alkaa|begin forwarded message|vidarebefordrat brev|vidarebefordrat meddelande"
    r"|alkuperäinen viesti|original message|ursprungligt meddelande|originalmeddelande)\s*:?\s*$",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\s*(?:_{10,}|-{10,}|={10,})\s*$")
_FROM = re.compile(r"^[\s*]*(?:lähettäjä|från|from|avsändare)\s*\*?\s*:\*?\s*\S", re.IGNORECASE)
_HEADER = re.compile(
    r"^[\s*]*(?:lähetetty|vastaanottaja|vastaanottajat|päivämäärä|päiväys|pvm|aihe|otsikko|kopio|skickat|till|ämne|datum"
    r"|kopia|sent|to|date|subject|cc|reply-to)\s*\*?\s*:",
    re.IGNORECASE,
)
_WROTE = re.compile(r"(?:\b(?:kirjoitti|skrev|wrote)\b[^\n]{0,200}:|\b(?:kirjoitti|skrev|wrote))\s*$", re.IGNORECASE)
_ENDS_ATTRIBUTION = re.compile(r"(?::|\bkirjoitti|\bskrev|\bwrote)\s*$", re.IGNORECASE)
_WHEN = re.compile(
    r"^\W*(?:on\s+\S+|den\s+\S+|(?:ma|ti|ke|to|pe|la|su)\w{0,8}\s+\d|\d{1,2}[./]\s?\d{1,2}|\d{1,2}\.?\s\w{3,12}\.?\s\d{4}"
    r"|\d{4}-\d\d-\d\d|(?:mån|tis|ons|tors|fre|lör|sön)\w{0,4}\s+\d)",
    re.IGNORECASE,
)
_DATED = re.compile(r"\d{1,2}[.:/-]\s?\d{1,2}|\d{4}|@")


def own_words(text: str) -> str:
    """The writer's own words; empty where there are none."""
    lines = text.split("\n")[:MOST_LINES]
    return "\n".join(_without_signature(_without_quotes(_above_tail(lines)))).strip()


def _above_tail(lines: list[str]) -> list[str]:
    """The lines above what is quoted without marks: an original's header, a divider, an unmarked attribution."""
    for number, line in enumerate(lines):
        if _QUOTED.match(line):
            continue
        if _DIVIDER.match(line) or _FORWARDED.match(line) or _header_block(lines, number):
            return lines[:number]
        start = _attribution(lines, number)
        if start is not None and not _marks_follow(lines, number):
            return lines[:start]
    return lines


def _header_block(lines: list[str], number: int) -> bool:
    """True if an original's header begins at this line, with or without a rule above it."""
    if _RULE.match(lines[number]):
        following = [line for line in lines[number + 1 : number + 4] if line.strip()]
        return bool(following) and bool(_FROM.match(following[0]))
    if not _FROM.match(lines[number]):
        return False
    following = [line for line in lines[number + 1 : number + 9] if line.strip()]
    return any(_HEADER.match(line) for line in following[:3])


def _attribution(lines: list[str], number: int) -> int | None:
    """Where the attribution (`On ... wrote:`) begins that ends at this line; None if none ends here."""
    if not _ENDS_ATTRIBUTION.search(lines[number]):
        return None
    whole = ""
    for start in range(number, max(number - 4, -1), -1):
        if not lines[start].strip() or len(lines[start]) > 400:
            break
        whole = f"{lines[start]} {whole}"
        if _WHEN.match(lines[start]) and _WROTE.search(whole) and _DATED.search(whole):
            return start
    return number if _WROTE.search(lines[number]) and _DATED.search(lines[number]) else None


def _marks_follow(lines: list[str], number: int) -> bool:
    following = [line for line in lines[number + 1 : number + 6] if line.strip()]
    return bool(following) and bool(_QUOTED.match(following[0]))


def _without_quotes(lines: list[str]) -> list[str]:
    """The lines that are neither marked as quoted, nor the overflow of one that is, nor its attribution.

    What stands right under a marked line belongs to it: mail programs break long lines and mark the first part only.
    """
    drop: set[int] = set()
    for number, line in enumerate(lines):
        if _QUOTED.match(line) or (number - 1 in drop and line.strip()):
            drop.add(number)
        start = _attribution(lines, number) if number not in drop else None
        if start is not None and _marks_follow(lines, number):
            drop.update(range(start, number + 1))
    return ["" if number in drop else line for number, line in enumerate(lines)]


def _without_signature(lines: list[str]) -> list[str]:
    for number, line in enumerate(lines):
        if _SIGNATURE.match(line.lstrip("\u00a0")):
            lines = lines[:number]
            break
    kept = ["" if _MOBILE.match(line) else line.rstrip() for line in lines]
    return [line for line, following in pairwise([*kept, "end"]) if line or following]
