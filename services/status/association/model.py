"""Model: what an association is counted by, and which associations a round asks."""

from dataclasses import dataclass
from typing import NamedTuple


class Traits(NamedTuple):
    """What an association is counted by; each of its networks and capabilities counts it once."""

    municipality: str
    sector: str
    networks: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Filter:
    """Associations of one of these municipalities and one of these sectors, and, where any are named, in one of these
    networks and with one of these capabilities."""

    municipalities: tuple[str, ...]
    sectors: tuple[str, ...]
    networks: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
