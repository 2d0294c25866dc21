"""Model: what an association is counted by, and which association it has become."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

MERGERS: Final = 5
"""How many mergers in turn are followed."""


@dataclass(frozen=True)
class Association:
    """An association as the registry told it last; codes of its municipality, sector and networks. One that has left
    is still known: exercises of the past asked it."""

    id: UUID
    name: str
    municipality: str
    sector: str
    networks: tuple[str, ...] = ()
    retired: bool = False
    merged_into: UUID | None = None


@dataclass(frozen=True)
class Register:
    """Associations by id, and names of networks by code and language."""

    associations: Mapping[UUID, Association] = field(default_factory=dict)
    network_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def today(self, association_id: UUID) -> UUID:
        """The id under which it is known today: that of the association into which it was merged, if it was."""
        for _ in range(MERGERS):
            known = self.associations.get(association_id)
            if known is None or known.merged_into is None:
                return association_id
            association_id = known.merged_into
        return association_id
