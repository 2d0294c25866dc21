"""Streams: what the bus keeps, who listens to what, and who may say what; provisioned from here and nowhere else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from shared.events import Event
from shared.keys import PROVISIONER
from shared.log import logger
from shared.receipts import receipt_subject

log = logger(__name__)

DAY = 86_400.0
MIB = 1024**2
MAX_WORKERS = 200
"""Handlers of one consumer that run at a time in one process."""

ACK_WAIT = 10.0
"""Seconds until another replica gets what a dead one held. Handlers take milliseconds."""


@dataclass(frozen=True)
class Voice:
    """One service on the bus: the events that it says and hears, and those that it overhears (no delivery promised)."""

    service: str
    says: tuple[type[Event], ...] = ()
    hears: tuple[type[Event], ...] = ()
    overhears: tuple[type[Event], ...] = ()


@dataclass(frozen=True)
class Provisioned:
    """What a provisioning run did, by name of stream or `stream/consumer`."""

    made: tuple[str, ...]
    updated: tuple[str, ...]
    kept: tuple[str, ...]


def consumer_name(service: str, event: type[Event]) -> str:
    """The durable of a service for one event; also its deliver group."""
    return f"{service}-{event.service}_{event.fact}"


def deliver_subject(service: str, event: type[Event]) -> str:
    """Where the server pushes the event to the service's replicas."""
    return f"_DELIVER.{service}.{event.service}_{event.fact}"


def streams(*, replicas: int) -> list[StreamConfig]:
    """Every stream. What names people leaves its own when whoever is to hear it has acknowledged it: a letter when one
    has, a roster when all have. `always` on the server makes an ack mean: on disk. Byte limits refuse rather than
    forget."""
    kept = [_stream(name, replicas=replicas) for name in ("INTAKE", "STATUS", "NOTIFY", "EXERCISE")]
    letters = _stream("LETTERS", replicas=replicas, retention=RetentionPolicy.WORK_QUEUE)
    rosters = _stream("ROSTERS", replicas=replicas, retention=RetentionPolicy.INTEREST, max_bytes=MIB * 64)
    return [*kept, letters, rosters]


def _stream(
    name: str, *, replicas: int, retention: RetentionPolicy = RetentionPolicy.LIMITS, max_bytes: int = MIB * 2048
) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=[f"{name.lower()}.>"],
        retention=retention,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_bytes=max_bytes,
        max_age=14 * DAY,
        duplicate_window=DAY,
        num_replicas=replicas,
        allow_atomic=True,
    )


def consumer(service: str, event: type[Event]) -> ConsumerConfig:
    """The durable push consumer with which all replicas of a service share one event."""
    name = consumer_name(service, event)
    return ConsumerConfig(
        durable_name=name,
        deliver_group=name,
        deliver_subject=deliver_subject(service, event),
        filter_subject=event.filter_subject(),
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT,
        max_ack_pending=2 * MAX_WORKERS,
    )


async def provision(js: JetStreamContext, voices: Sequence[Voice], *, replicas: int = 1) -> Provisioned:
    """Make what is missing and update what differs, streams first; doing it again changes nothing."""
    done: dict[str, list[str]] = {"made": [], "updated": [], "kept": []}
    for config in streams(replicas=replicas):
        done[await _provide_stream(js, config)].append(str(config.name))
    for voice in voices:
        for event in voice.hears:
            outcome = await _provide_consumer(js, event.stream, consumer(voice.service, event))
            done[outcome].append(f"{event.stream}/{consumer_name(voice.service, event)}")
    return Provisioned(tuple(done["made"]), tuple(done["updated"]), tuple(done["kept"]))


async def _provide_stream(js: JetStreamContext, config: StreamConfig) -> str:
    try:
        present = await js.stream_info(str(config.name))
    except NotFoundError:
        await js.add_stream(config)
        return "made"
    if not _differs(config, present.config):
        return "kept"
    await js.update_stream(config)
    return "updated"


async def _provide_consumer(js: JetStreamContext, stream: str, config: ConsumerConfig) -> str:
    try:
        present = await js.consumer_info(stream, str(config.durable_name))
    except NotFoundError:
        await js.add_consumer(stream, config)
        return "made"
    if not _differs(config, present.config):
        return "kept"
    await js.add_consumer(stream, config)  # for an existing durable this is an update
    return "updated"


def _differs(wanted: Any, present: Any) -> bool:
    """True if a field that we set stands otherwise on the server, which fills in the others by itself."""
    return any(
        getattr(wanted, field.name) not in (None, field.default)
        and getattr(wanted, field.name) != getattr(present, field.name)
        for field in fields(wanted)
    )


def receipts_awaited(voice: Voice) -> list[str]:
    """The subjects on which others confirm what this service says."""
    return list(dict.fromkeys(receipt_subject(event.service) for event in voice.says if event.heard_by))


def permissions(voice: Voice) -> dict[str, list[str]]:
    """The subjects that a service may publish and subscribe to, and no others (least privilege)."""
    said = dict.fromkeys(f"{event.service}.*.{event.fact}" for event in voice.says)
    publish = [*said]
    for event in voice.hears:
        name = consumer_name(voice.service, event)
        publish += [
            f"$JS.API.CONSUMER.INFO.{event.stream}.{name}",
            f"$JS.ACK.{event.stream}.{name}.>",
            f"$JS.ACK.*.*.{event.stream}.{name}.>",  # the form that servers after 2.15 will use
        ]
    publish += dict.fromkeys(receipt_subject(event.service) for event in voice.hears)
    subscribe = [f"_INBOX.{voice.service}.>", *receipts_awaited(voice)]
    if voice.hears:
        subscribe.append(f"_DELIVER.{voice.service}.>")
    subscribe += [event.filter_subject() for event in voice.overhears]
    return {"publish": publish, "subscribe": subscribe}


def server_config(voices: Sequence[Voice], keys: Mapping[str, str], *, listen: str, store: str) -> str:
    """nats.conf for one node: durable to the disk, one identity a service, monitoring on loopback only.

    `keys` are public nkeys by service name; `provision` is the identity that may declare streams and nothing else.
    """
    users = [_user(keys[voice.service], permissions(voice)) for voice in voices]
    users.append(_user(keys[PROVISIONER], {"publish": ["$JS.API.>"], "subscribe": ["_INBOX.provision.>"]}))
    listed = "\n".join(f"      {user}" for user in users)
    return f"""# Written by `valmius bus-config`; do not edit.
listen: "{listen}"
http: "127.0.0.1:-1"
max_payload: 64KB
max_connections: 200
ping_interval: "5s"
ping_max: 2
write_deadline: "5s"
authorization {{ timeout: 5 }}
jetstream {{ store_dir: "{store}", sync_interval: always, max_file_store: 12G, max_mem: 64M }}
accounts {{
  SYS: {{ users: [] }}
  VALMIUS: {{
    jetstream: enabled
    users: [
{listed}
    ]
  }}
}}
system_account: SYS
"""


def _user(key: str, allowed: Mapping[str, Sequence[str]]) -> str:
    rules = ", ".join(f"{verb}: {{allow: {json.dumps(subjects)}}}" for verb, subjects in allowed.items())
    return f"{{nkey: {key}, permissions: {{{rules}}}}}"
