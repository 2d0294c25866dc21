"""What every page must be in Chromium: accessible by axe, no wider than its screen, and whole by Tab alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from typing import Any, Literal

import playwright.async_api as awaited
import playwright.sync_api as direct
from axe_playwright_python.base import AXE_SCRIPT

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OF_COLOUR = ("color-contrast", "link-in-text-block")
"""The only rules that look at colours: another colouring of the same page needs no others."""

LIGHT, DARK, FORCED = "light", "dark", "forced"
NARROW, PHONE, DESK = 320, 390, 1280
HEIGHT = 900
MOST_STOPS = 600
"""Tabs pressed on one page; beyond that it is a trap."""
TIMES = 3
"""How often one begins anew when a live page drew itself anew meanwhile."""

AXE_IS_HERE = "() => 'axe' in window"
RUN_AXE = """([context, options]) => axe.run(context ?? document, options).then(
  found => found.violations.map(one => `${one.id} ${one.nodes.slice(0, 3).map(node => node.target)}`))"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

RADIOS = """const group = one => `${one.form ? [...document.forms].indexOf(one.form) : ""} ${one.name}`;"""
NUMBERED = f"""() => {{
  {RADIOS}
  const groups = new Set();
  let number = 0;
  for (const one of document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")) {{
    delete one.dataset.stop;
    delete one.dataset.group;
    if (!one.checkVisibility({{visibilityProperty: true}}) || one.disabled || one.tabIndex < 0) continue;
    if (one.type === "radio") {{
      if (groups.has(group(one))) continue;
      groups.add(group(one));
      one.dataset.group = group(one);
    }}
    one.dataset.stop = ++number;
  }}
  document.activeElement?.blur();
  getSelection().removeAllRanges();
  scrollTo(0, 0);
  return number;
}}"""
"""Number what Tab must reach: of radio buttons one in each group, between which arrows lead."""

NO_TAB = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
  .filter(one => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.tabIndex < 0)
  .map(one => one.outerHTML.slice(0, 80))"""

NUMBERS = "() => document.querySelectorAll('[data-stop]').length"

REACHED = f"""() => {{
  {RADIOS}
  const here = document.activeElement;
  if (!here || here === document.body || here === document.documentElement) return null;
  const first = one => [...document.querySelectorAll("[data-group]")].find(other => other.dataset.group === group(one));
  const stop = (here.type === "radio" ? first(here) : here)?.dataset.stop;
  const shows = style => (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
    || style.boxShadow !== "none";
  const box = here.getBoundingClientRect();
  return {{
    number: stop ? Number(stop) : 0,
    what: here.outerHTML.slice(0, 80),
    marked: shows(getComputedStyle(here)) || [...here.labels ?? []].some(label => shows(getComputedStyle(label))),
    inView: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  }};
}}"""


@dataclass(frozen=True)
class Way:
    """One way of looking at a page: how wide, in which colours, and by which rules of axe."""

    width: int
    colouring: str
    rules: dict[str, Any]

    @property
    def scheme(self) -> Literal["light", "dark"]:
        """The scheme of colours that Chromium is to prefer."""
        return "dark" if self.colouring == DARK else "light"

    @property
    def forced(self) -> Literal["active", "none"]:
        """Whether Chromium is to force its own colours."""
        return "active" if self.colouring == FORCED else "none"


def ways(widths: Sequence[int], colourings: Sequence[str]) -> Iterator[Way]:
    """All of them: the first colouring at each width by every rule, the others by those of colour."""
    for width, colouring in product(widths, colourings):
        by_all = colouring == colourings[0]
        run_only = {"type": "tag", "values": RULES} if by_all else {"type": "rule", "values": OF_COLOUR}
        yield Way(width, colouring, {"runOnly": run_only, "resultTypes": ["violations"]})


async def wrong_on(
    page: awaited.Page,
    name: str,
    *,
    widths: Sequence[int] = (NARROW, DESK),
    colourings: Sequence[str] = (LIGHT, DARK),
    context: dict[str, Any] | None = None,
) -> list[str]:
    """What axe finds in each of these ways, what is wider than the screen, and what Tab alone cannot do."""
    found: list[str] = []
    for way in ways(widths, colourings):
        await page.set_viewport_size({"width": way.width, "height": HEIGHT})
        await page.emulate_media(color_scheme=way.scheme, forced_colors=way.forced)
        if not await page.evaluate(AXE_IS_HERE):
            await page.evaluate(AXE_SCRIPT)
        violations = await page.evaluate(RUN_AXE, [context, way.rules])
        found += _told(name, way, violations, await page.evaluate(SIDEWAYS))
    return [*found, *await tabbed_through(page, name)]


def wrong_here(
    page: direct.Page, name: str, *, widths: Sequence[int] = (NARROW, DESK), colourings: Sequence[str] = (LIGHT, DARK)
) -> list[str]:
    """The same but for Tab, for a page that is not awaited."""
    found: list[str] = []
    before = page.viewport_size
    for way in ways(widths, colourings):
        page.set_viewport_size({"width": way.width, "height": HEIGHT})
        page.emulate_media(color_scheme=way.scheme, forced_colors=way.forced)
        if not page.evaluate(AXE_IS_HERE):
            page.evaluate(AXE_SCRIPT)
        violations = page.evaluate(RUN_AXE, [None, way.rules])
        found += _told(name, way, violations, page.evaluate(SIDEWAYS))
    page.emulate_media(color_scheme="light")
    if before:
        page.set_viewport_size(before)
    return found


def _told(name: str, way: Way, violations: Sequence[str], beyond: int) -> list[str]:
    where = f"{name} {way.width} {way.colouring}"
    too_wide = [f"{where}: {beyond} px wider than the screen"] if beyond > 0 else []
    return [*(f"{where}: {one}" for one in violations), *too_wide]


@dataclass(frozen=True)
class Stop:
    """Where Tab led: the control's number in the order of the page (0: none that was expected), and whether one can
    see that one is there."""

    number: int
    what: str
    seen: bool


async def tabbed_through(page: awaited.Page, name: str) -> list[str]:
    """Press Tab all around the page: what it never reaches, where the focus cannot be seen, what comes in another order
    than it stands in, and what cannot be left again."""
    await page.emulate_media(color_scheme="light", forced_colors="none")
    found = [f"no Tab reaches {one}" for one in await page.evaluate(NO_TAB)]
    for _ in range(TIMES):
        count, stops = int(await page.evaluate(NUMBERED)), await _around(page)
        if await page.evaluate(NUMBERS) == count:
            return [f"{name}: {one}" for one in [*found, *wrong_way(stops, count)]]
    return [f"{name}: it changes faster than one can press Tab"]


async def _around(page: awaited.Page) -> list[Stop]:
    """Where Tab leads until it comes to where it was first; from the end of a page it goes on at its top."""
    stops: list[Stop] = []
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        here = await page.evaluate(REACHED)
        if here is None:
            continue
        if stops and here["number"] == stops[0].number != stops[-1].number:
            break
        stops.append(Stop(here["number"], here["what"], here["marked"] and here["inView"]))
    return stops


def wrong_way(stops: Sequence[Stop], count: int) -> list[str]:
    """What is wrong with such a way around a page of `count` controls. A field for a date is several stops in one."""
    numbers = [number for number, _ in groupby(stop.number for stop in stops if stop.number)]
    seen = {stop.number for stop in stops if stop.seen}
    found = [f"the focus cannot be seen on {stop.what}" for stop in stops if stop.number not in seen]
    if missed := sorted(set(range(1, count + 1)) - set(numbers)):
        found.append(f"no Tab reached the controls {missed} of {count}")
    top = numbers.index(1) if 1 in numbers else 0
    if (around := numbers[top:] + numbers[:top]) != sorted(around):
        found.append(f"Tab jumps about: {around}")
    return found
