"""Networks model: how a network is named, and below which others it may be put."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from shared.i18n import N_, Locale

NAME_LIMIT = 100
LANGUAGES = (Locale.FI, Locale.SV, Locale.EN)


@dataclass(frozen=True)
class Group:
    """A network as an administrator writes it down; `names` by locale, `parent` a code or empty."""

    names: dict[str, str]
    parent: str = ""
    retired: bool = False

    @property
    def flaws(self) -> dict[str, str]:
        """What must be mended, by field. Finnish is needed: it stands in for the others."""
        found = {}
        if not self.names.get(Locale.FI):
            found["name_fi"] = N_("Write the name in Finnish.")
        for language, name in self.names.items():
            if len(name) > NAME_LIMIT:
                found[f"name_{language}"] = N_("This is too long. Please shorten it.")
        return found


def code_of(name: str, taken: Collection[str]) -> str:
    """A code for a new network of this name: small letters, digits and hyphens, unlike all that are taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "network"
    number, code = 1, stem
    while code in taken:
        number += 1
        code = f"{stem}-{number}"
    return code


def may_be_below(code: str, parents: Mapping[str, str | None]) -> set[str]:
    """The codes below which this network may stand: not itself, and none that is below it already."""
    return {other for other in parents if other != code and code not in ancestors(other, parents)}


def ancestors(code: str, parents: Mapping[str, str | None]) -> list[str]:
    """The networks above, nearest first; each once, whatever the parents say."""
    above: list[str] = []
    parent = parents.get(code)
    while parent and parent not in above:
        above.append(parent)
        parent = parents.get(parent)
    return above


def in_order(parents: Mapping[str, str | None], names: Mapping[str, str]) -> list[tuple[str, int]]:
    """The networks by name, each followed by those below it; how deep each stands, 0 at the top."""

    def below(parent: str | None, depth: int) -> list[tuple[str, int]]:
        children = [code for code in parents if _present(parents[code], parents) == parent]
        children.sort(key=lambda code: (names[code].casefold(), code))
        return [entry for code in children for entry in ((code, depth), *below(code, depth + 1))]

    return below(None, 0)


def _present(parent: str | None, parents: Mapping[str, str | None]) -> str | None:
    """The parent, if there is such a network."""
    return parent if parent in parents else None
