"""Work list model: a tray is something that waits, with where to go."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.identity import Sight


@dataclass(frozen=True)
class Tray:
    """A kind of work (its title marked for translation), the page where it is done, and how much of it waits."""

    title: str
    href: str
    count: Callable[[Sight], Awaitable[int]]
