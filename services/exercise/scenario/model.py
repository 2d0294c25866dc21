"""Model: what a scenario is: objectives, roles, phases, timed injects, and how simulated associations behave.

The words are those of HSEEP: an inject is one scripted event, a contingency inject is the one that is put in by hand
when what was expected does not happen, a controller is who puts it in and watches.
"""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from shared import region

MARKS: Final = {"fi": "HARJOITUS", "sv": "ÖVNING", "en": "EXERCISE"}
"""With what every text of an exercise begins, by language."""

FEWEST_INJECTS, MOST_INJECTS = 12, 30
LONGEST: Final = timedelta(hours=999)
_OFFSET = re.compile(r"([0-9]{1,3}):([0-5][0-9])")
_MARKED = re.compile(r"\s*(harjoitus|övning|exercise)\b", re.IGNORECASE)


def read_offset(written: object) -> object:
    """Hours and minutes (`1:30`) as a span of time. Raises ValueError for any other text."""
    if isinstance(written, timedelta):
        return written
    found = _OFFSET.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        raise ValueError("must be hours and minutes after the start, like 1:30")
    return timedelta(hours=int(found[1]), minutes=int(found[2]))


def written_offset(offset: timedelta) -> str:
    """A span of time as hours and minutes, as files have it."""
    minutes = round(offset.total_seconds() / 60)
    return f"{minutes // 60}:{minutes % 60:02}"


def _municipality(written: object) -> object:
    found = region.find_municipality(written) if isinstance(written, str) else None
    if found is None:
        raise ValueError("is not a municipality of the region")
    return found.code


def _capability(code: str) -> str:
    if code not in {known.code for known in region.CAPABILITIES}:
        raise ValueError(f"is not a capability; these are: {', '.join(known.code for known in region.CAPABILITIES)}")
    return code


def _unmarked(text: str) -> str:
    if _MARKED.match(text):
        raise ValueError("must not begin with HARJOITUS, ÖVNING or EXERCISE: the system puts that before every text")
    return text


Offset = Annotated[
    timedelta,
    BeforeValidator(read_offset),
    PlainSerializer(written_offset, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_OFFSET.pattern}$", "description": "Hours and minutes: 1:30"}),
]
Municipality = Annotated[str, BeforeValidator(_municipality)]
CapabilityCode = Annotated[
    str,
    AfterValidator(_capability),
    WithJsonSchema({"type": "string", "enum": [known.code for known in region.CAPABILITIES]}),
]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Text = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_unmarked)]


class Part(BaseModel):
    """A part of a scenario: it never changes, and takes no name that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Words(Part):
    """A text in the three languages. It reaches people only as `told`, which says first that it is an exercise."""

    fi: Text
    sv: Text
    en: Text

    def of(self, locale: str) -> str:
        """The text alone, for the desk of those who lead the exercise; easy Finnish is Finnish."""
        return {"sv": self.sv, "en": self.en}.get(locale, self.fi)

    def told(self) -> dict[str, str]:
        """The text by language as it reaches people: it begins HARJOITUS, ÖVNING or EXERCISE."""
        return {locale: f"{mark}: {self.of(locale)}" for locale, mark in MARKS.items()}


class Kind(StrEnum):
    """What happens in the scenario; the same words as those of situations."""

    STORM = "storm"
    POWER_CUT = "power-cut"
    WATER = "water"
    PANDEMIC = "pandemic"
    EVACUATION = "evacuation"
    CYBER = "cyber"
    WILDFIRE = "wildfire"
    OTHER = "other"


class Channel(StrEnum):
    """By what way an inject reaches whom it is for."""

    PHONE = "phone"
    EMAIL = "email"
    RADIO = "radio"
    BRIEFING = "briefing"
    MEDIA = "media"
    VISIT = "visit"


class Opens(StrEnum):
    """What an inject opens in the exercise's realm when it is put in: nothing, unless it is named."""

    SITUATION = "situation"
    ROUND = "round"


class DoneBy(StrEnum):
    """By what the log of an exercise shows that an expected action was done, once its inject had been put in."""

    SITUATION_OPENED = "situation-opened"
    ROUND_OPENED = "round-opened"
    HALF_ANSWERED = "half-answered"
    GUIDANCE_PUBLISHED = "guidance-published"
    GUIDANCE_UPDATED = "guidance-updated"
    GUIDANCE_WITHDRAWN = "guidance-withdrawn"


class Objective(Part):
    """What is to be rehearsed, and is judged afterwards."""

    key: Key
    text: Words


class Side(StrEnum):
    """On which side of the play a role stands."""

    PLAYER = "player"
    SIMULATED = "simulated"
    CONTROLLER = "controller"


class ScenarioRole(Part):
    """Somebody who sends, gets or puts in injects."""

    key: Key
    side: Side
    name: Words


class Phase(Part):
    """A stretch of the exercise, from `at` to the next one."""

    at: Offset
    title: Words


class Scripted(Part):
    """What every inject has. What is expected is done in time if it is by `done_within` after the inject. `sender`,
    `receiver` and `controller` are keys of roles, `objective` of an objective."""

    number: int = Field(ge=1, le=99)
    sender: Key = Field(alias="from")
    receiver: Key = Field(alias="to")
    channel: Channel
    objective: Key
    controller: Key
    text: Words
    expected: Words
    done_by: DoneBy | None = None
    done_within: Offset | None = None
    opens: Opens | None = None


class Inject(Scripted):
    """An inject that is due at its offset from the start."""

    at: Offset


class Contingency(Scripted):
    """An inject for when what inject `unless` expects has not happened `after` so long: a controller puts it in."""

    unless: int = Field(ge=1, le=99)
    after: Offset


class Delay(Part):
    """How long answers take: a log-normal distribution, cut off at the end of the exercise.

    `spread` is the standard deviation of the delay's logarithm.
    """

    median: Offset
    spread: float = Field(default=0.9, ge=0, le=3, allow_inf_nan=False)


class StatusMix(Part):
    """Weights of what answers say; only their proportions count."""

    normal: float = Field(ge=0, le=1000, allow_inf_nan=False)
    limited: float = Field(ge=0, le=1000, allow_inf_nan=False)
    suspended: float = Field(ge=0, le=1000, allow_inf_nan=False)


class Wish(Part):
    """A need or an offer: in which share of the answers it stands, and how much of it there is at most."""

    capability: CapabilityCode
    share: Share
    most: int | None = Field(default=None, ge=1, le=1000)


class Manner(Part):
    """How the associations of an area behave. `unreachable` of them get no letter; of the rest `answering` answer,
    and of those `again` once more with another status."""

    answering: Share
    unreachable: Share = 0.0
    again: Share = 0.0
    delay: Delay
    statuses: StatusMix
    needs: tuple[Wish, ...] = Field(default=(), max_length=15)
    offers: tuple[Wish, ...] = Field(default=(), max_length=15)


class AreaManner(Manner):
    """The same for some municipalities, in place of what holds elsewhere."""

    municipalities: tuple[Municipality, ...] = Field(min_length=1, max_length=len(region.MUNICIPALITIES))


class Behaviour(Part):
    """How simulated associations behave; the same `seed` gives the same answers."""

    seed: int = Field(ge=0, le=2**31)
    elsewhere: Manner
    areas: tuple[AreaManner, ...] = Field(default=(), max_length=len(region.MUNICIPALITIES))

    def manner(self, municipality: str) -> Manner:
        """How an association of this municipality (a code) behaves."""
        return next((area for area in self.areas if municipality in area.municipalities), self.elsewhere)


class Scenario(Part):
    """The script of an exercise. What refers to a key refers to one that is there, when it was read from a file."""

    key: Key
    kind: Kind
    title: Words
    summary: Words
    situation: Words
    length: Offset
    municipalities: tuple[Municipality, ...] = Field(min_length=1, max_length=len(region.MUNICIPALITIES))
    objectives: tuple[Objective, ...] = Field(min_length=1, max_length=10)
    roles: tuple[ScenarioRole, ...] = Field(min_length=2, max_length=20)
    phases: tuple[Phase, ...] = Field(min_length=1, max_length=10)
    injects: tuple[Inject, ...] = Field(min_length=FEWEST_INJECTS, max_length=MOST_INJECTS)
    contingencies: tuple[Contingency, ...] = Field(default=(), max_length=MOST_INJECTS)
    behaviour: Behaviour

    def role(self, key: str) -> ScenarioRole:
        """The role with this key. Raises KeyError."""
        return {role.key: role for role in self.roles}[key]

    def phase_at(self, offset: timedelta) -> Phase:
        """In which phase that moment lies."""
        return max((phase for phase in self.phases if phase.at <= offset), key=lambda phase: phase.at)

    def scripted(self, number: int) -> Inject | Contingency:
        """The inject or the contingency inject with this number. Raises KeyError."""
        found: dict[int, Inject | Contingency] = {one.number: one for one in self.injects}
        return (found | {one.number: one for one in self.contingencies})[number]
