"""Model: a network of associations, and its name in a reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """A network as the registry tells it: `names` by language, `parent` the code of the one of which it is a part."""

    code: str
    names: Mapping[str, str]
    parent: str | None = None
    retired: bool = False

    def name(self, locale: str) -> str:
        """The name for a locale: its own, else the Finnish one, else the code."""
        return named(self.names, locale) or self.code


def named(names: Mapping[str, str], locale: str) -> str:
    """The name for a locale, else the Finnish one, else nothing; easy Finnish has no names of its own."""
    return names.get(locale, "") or names.get("fi", "")
