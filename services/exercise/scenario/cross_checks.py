"""Format: what must agree between the parts of a scenario file; it looks at the tree, so that all is told at once."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from services.exercise.scenario.marked_tree import MarkedTree, Mistake, did_you_mean, quoted
from services.exercise.scenario.model import Opens, read_offset
from shared import region

_SCRIPTED = ("injects", "contingencies")


def disagreements(tree: MarkedTree) -> Iterator[Mistake]:
    """What does not agree. Values that are wrong by themselves are passed over: the model tells of them."""
    yield from _twice(tree, [("roles", "*", "key")])
    yield from _twice(tree, [("objectives", "*", "key")])
    yield from _twice(tree, [(part, "*", "number") for part in _SCRIPTED])
    yield from _twice(tree, [("behaviour", "areas", "*", "municipalities", "*")], spelled=_code)
    yield from _twice(tree, [("municipalities", "*")], spelled=_code)
    yield from _references(tree)
    yield from _unused(tree)
    yield from _order(tree, "injects")
    yield from _order(tree, "phases")
    yield from _first_phase(tree)
    yield from _silent_mixes(tree)
    yield from _openings(tree)
    yield from _limits_of_nothing(tree)


def _twice(
    tree: MarkedTree, places: Iterable[tuple[str, ...]], *, spelled: Callable[[str], str] = str
) -> Iterator[Mistake]:
    """What must be there once only, however it is spelled."""
    seen: dict[str, int] = {}
    for place in places:
        for path, text in tree.texts(*place):
            key, position = spelled(text), tree.position(path)
            if key in seen:
                yield Mistake(position, f"{quoted(text)} is given already in line {seen[key]}")
            seen.setdefault(key, position.line)


def _code(text: str) -> str:
    found = region.find_municipality(text)
    return found.code if found else text


def _references(tree: MarkedTree) -> Iterator[Mistake]:
    roles = {text for _, text in tree.texts("roles", "*", "key")}
    objectives = {text for _, text in tree.texts("objectives", "*", "key")}
    numbers = {text for _, text in tree.texts("injects", "*", "number")}
    for part in _SCRIPTED:
        for name in ("from", "to", "controller"):
            yield from _unknown(tree, (part, "*", name), roles, "no role has this key")
        yield from _unknown(tree, (part, "*", "objective"), objectives, "no objective has this key")
    yield from _unknown(tree, ("contingencies", "*", "unless"), numbers, "no inject has this number")
    yield from _wrong_side(tree)
    area = {_code(text) for _, text in tree.texts("municipalities", "*")}
    for path, text in tree.texts("behaviour", "areas", "*", "municipalities", "*"):
        if area and region.find_municipality(text) and _code(text) not in area:
            yield Mistake(tree.position(path), f"{quoted(text)} is not among the scenario's municipalities")


def _unknown(tree: MarkedTree, place: tuple[str, ...], known: set[str], what: str) -> Iterator[Mistake]:
    for path, text in tree.texts(*place):
        if text not in known:
            yield Mistake(tree.position(path), f"{quoted(text)}: {what}{did_you_mean(text, known)}")


def _wrong_side(tree: MarkedTree) -> Iterator[Mistake]:
    keys = dict(zip((text for _, text in tree.texts("roles", "*", "key")), _sides(tree), strict=False))
    for part in _SCRIPTED:
        for path, text in tree.texts(part, "*", "controller"):
            if keys.get(text, "controller") != "controller":
                yield Mistake(tree.position(path), f"{quoted(text)} is a role, but no controller")


def _sides(tree: MarkedTree) -> Iterator[str]:
    """The side of each role that has a key; "controller" where it is missing, of which the model tells."""
    for path, _ in tree.texts("roles", "*", "key"):
        yield next((text for place, text in tree.texts("roles", "*", "side") if place[:2] == path[:2]), "controller")


def _unused(tree: MarkedTree) -> Iterator[Mistake]:
    used = {text for part in _SCRIPTED for _, text in tree.texts(part, "*", "objective")}
    for path, text in tree.texts("objectives", "*", "key"):
        if text not in used:
            yield Mistake(tree.position(path), f"no inject rehearses the objective {quoted(text)}")


def _order(tree: MarkedTree, part: str) -> Iterator[Mistake]:
    """Each comes when the one before it does, or later, and all within the length."""
    length = next((_span(text) for _, text in tree.texts("length")), None)
    latest, latest_line = timedelta(), 0
    for path, text in tree.texts(part, "*", "at"):
        at = _span(text)
        if at is None:
            continue
        if at < latest:
            yield Mistake(tree.position(path), f"{text} is earlier than what stands before it in line {latest_line}")
        else:
            latest, latest_line = at, tree.position(path).line
        if length is not None and at > length:
            yield Mistake(tree.position(path), f"{text} is after the end of the exercise")


def _first_phase(tree: MarkedTree) -> Iterator[Mistake]:
    for path, text in list(tree.texts("phases", "*", "at"))[:1]:
        if _span(text):
            yield Mistake(tree.position(path), "the first phase must begin at 0:00")


def _silent_mixes(tree: MarkedTree) -> Iterator[Mistake]:
    """A mix of statuses of which all weights are nothing gives no answer at all."""
    for place in (("behaviour", "elsewhere", "statuses"), ("behaviour", "areas", "*", "statuses")):
        for path, mix in tree.select(*place):
            if isinstance(mix, dict) and len(mix) == 3 and all(_is_zero(weight) for weight in mix.values()):
                yield Mistake(tree.position(path), "one of the weights must be more than 0")


def _limits_of_nothing(tree: MarkedTree) -> Iterator[Mistake]:
    """How soon something is to be done says nothing where it is not said by what it is done."""
    for part in _SCRIPTED:
        judged = {path[:2] for path, _ in tree.texts(part, "*", "done_by")}
        for path, _ in tree.texts(part, "*", "done_within"):
            if path[:2] not in judged:
                yield Mistake(tree.position(path), "done_by is missing, which says what is to be done within this time")


def _is_zero(weight: object) -> bool:
    try:
        return isinstance(weight, str) and float(weight) == 0
    except ValueError:
        return False


def _span(text: str) -> timedelta | None:
    try:
        span = read_offset(text)
    except ValueError:
        return None
    return span if isinstance(span, timedelta) else None


def _openings(tree: MarkedTree) -> Iterator[Mistake]:
    """One inject opens the situation, before any opens a round; contingency injects open rounds alone."""
    opened = False
    for path, what in tree.texts("injects", "*", "opens"):
        if what == Opens.SITUATION and opened:
            yield Mistake(tree.position(path), "the situation is open already")
        if what == Opens.ROUND and not opened:
            yield Mistake(tree.position(path), "no inject before this one opens the situation")
        opened = opened or what == Opens.SITUATION
    for path, what in tree.texts("contingencies", "*", "opens"):
        if what == Opens.SITUATION:
            yield Mistake(tree.position(path), "a contingency inject can open a round, but not the situation")
        if what == Opens.ROUND and not opened:
            yield Mistake(tree.position(path), "no inject opens the situation")
