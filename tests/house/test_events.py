"""Events: what was once on the wire can be read for ever."""

import importlib
import json
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.events import EVENT_TYPES, Event
from shared.events.intake import CheckInReceived
from shared.realm import LIVE, Realm

for module in ("intake", "status", "notify", "exercise"):
    importlib.import_module(f"shared.events.{module}")

SAMPLES = Path(__file__).parents[1] / "samples"
NAMES = sorted(EVENT_TYPES)


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_of_each_event_still_parses(name: str) -> None:
    event = EVENT_TYPES[name].model_validate_json(sample(name))

    assert event.model_dump(mode="json").items() >= json.loads(sample(name)).items()


@pytest.mark.parametrize("name", NAMES)
def test_on_the_wire_it_is_a_cloud_event_in_binary_mode(name: str) -> None:
    event = EVENT_TYPES[name].model_validate_json(sample(name))

    headers = event.headers("cause-1")

    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-type"] == name
    assert UUID(headers["ce-id"]) == event.event_id
    assert headers["Nats-Msg-Id"] == headers["ce-id"]
    assert all(headers[attribute] for attribute in ("ce-source", "ce-time", "ce-correlationid", "content-type"))


@pytest.mark.parametrize("name", NAMES)
def test_what_a_later_version_adds_is_passed_over(name: str) -> None:
    newer = json.loads(sample(name)) | {"a_field_of_next_year": 1}

    assert EVENT_TYPES[name].model_validate(newer) == EVENT_TYPES[name].model_validate_json(sample(name))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("realm", [None, "", "LIVE", "ex-", "ex-A", "live.>", "*"])
def test_an_event_without_a_known_realm_is_refused(name: str, realm: str | None) -> None:
    damaged = json.loads(sample(name)) | {"realm": realm}

    with pytest.raises(ValidationError):
        EVENT_TYPES[name].model_validate(damaged)


def test_the_realm_is_the_second_token_of_the_subject() -> None:
    live = CheckInReceived.model_validate_json(sample("valmius.intake.checkin_received"))
    exercise = live.model_copy(update={"realm": Realm("ex-storm1")})

    assert live.subject == "intake.live.checkin_received"
    assert exercise.subject == "intake.ex-storm1.checkin_received"
    assert CheckInReceived.filter_subject() == "intake.*.checkin_received"


def test_events_to_status_have_no_place_for_personal_data() -> None:
    told = {*EVENT_TYPES["valmius.intake.checkin_received"].model_fields}
    told |= {*EVENT_TYPES["valmius.intake.association_changed"].model_fields}

    assert told.isdisjoint({"note", "email", "phone", "contact", "contact_name", "address", "entered_by"})


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_a_clear_refusal(body: bytes) -> None:
    try:
        event: Event | None = CheckInReceived.model_validate_json(body)
    except ValidationError:
        event = None

    assert event is None or event.realm == LIVE
