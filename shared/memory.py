"""Memory: keeps the collector of reference cycles from looking through what stays for ever."""

import gc

YOUNG = 20_000
"""New objects until the collector looks at them. The default, 700, is less than what one page is made of."""


def settle() -> None:
    """Call it once everything is started: the tens of thousands of objects that are there now are never looked at
    again. Else each full collection stops the process for a fifth of a second, in the middle of a crowd's answers."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
