"""Model: how far the roster of an exercise has been heard of, and in which form addresses are compared with it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Heard:
    """What is known of an exercise: how many parts of its roster were heard, of how many there are, and whether it is
    over. `told` is None until its start was heard."""

    heard: int = 0
    told: int | None = None
    over: bool = False

    @property
    def complete(self) -> bool:
        """True if everybody is known who takes part."""
        return self.told is not None and self.heard >= self.told


def address_key(address: str) -> str:
    """The form in which two addresses are compared."""
    return address.strip().casefold()
