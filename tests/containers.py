"""The containers of docker-compose.yml as plain processes: their commands and environments, without images."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from services.composition import SERVICES
from tests.postgres import free_port
from tests.servers import pause, program

ROOT = Path(__file__).parents[1]
COMPOSE_FILE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / "deploy" / "env.example"
NOT_STARTED = {"postgres", "caddy"}
"""A PostgreSQL of the tests stands for the one; `Proxy` leads to the services as the other does."""


def composed() -> dict[str, Any]:
    """The services of the compose file as docker-compose reads it with the example as its environment.

    Raises CalledProcessError, with what docker-compose has to say, where it refuses the file.
    """
    told = subprocess.run(
        [program("docker-compose"), "--file", str(COMPOSE_FILE), "--env-file", str(EXAMPLE), "config"],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
        check=True,
        capture_output=True,
        text=True,
    )
    services: dict[str, Any] = yaml.safe_load(told.stdout)["services"]
    return services


@dataclass(frozen=True)
class Place:
    """Where the containers live on this machine: everything that has to be said differently than in the file."""

    folder: Path
    postgres: int
    nats: int = field(default_factory=free_port)
    smtp: int = field(default_factory=free_port)
    replies: int = field(default_factory=free_port)
    bounces: int = field(default_factory=free_port)
    pages: dict[str, int] = field(
        default_factory=lambda: {name: free_port() for name in ("intake", "status", "exercise", "notify", "catcher")}
    )

    def rewritten(self, text: str, container: str) -> str:
        """The text with paths, hosts and ports of this machine. Nothing else differs from the file."""
        own = str(self.pages.get(container, ""))
        whole = {"0.0.0.0": "127.0.0.1", "8000": own, "8025": own, "1025": str(self.smtp)}
        whole |= {"1026": str(self.replies), "1027": str(self.bounces)}
        parts = {
            "/data": f"{self.folder}/data",
            "/store": f"{self.folder}/store",
            "0.0.0.0:4222": f"127.0.0.1:{self.nats}",
            "//nats:4222": f"//127.0.0.1:{self.nats}",
            "@postgres:5432": f"@127.0.0.1:{self.postgres}",
            "127.0.0.1:8000": f"127.0.0.1:{own}",
            "change-this": "changed",
        }
        for before, after in parts.items():
            text = text.replace(before, after)
        return whole.get(text, text)

    def environment(self, told: dict[str, str | None], container: str) -> dict[str, str]:
        """The container's environment and nothing of ours but the path; the catcher's name is a host only there."""
        given = {name: self.rewritten(value or "", container) for name, value in told.items()}
        hosts = {name: "127.0.0.1" for name, value in given.items() if value == "catcher"}
        return {"PATH": os.environ["PATH"], **given, **hosts}


class Containers:
    """Everything that the file starts, started in the order that it asks for."""

    def __init__(self, services: dict[str, Any], place: Place) -> None:
        self.services = services
        self.place = place
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start all; those that others wait for to end have then ended well."""
        (self.place.folder / "data").mkdir(parents=True)
        started = set(NOT_STARTED)
        while waiting := [name for name in self.services if name not in started]:
            ready = [name for name in waiting if started.issuperset(self.services[name].get("depends_on", ()))]
            assert ready, f"these wait for one another: {waiting}"
            for name in ready:
                self._start(name)
            started.update(ready)

    def stop(self) -> None:
        """Ask all to end, and wait until they have."""
        for process in reversed(self._running.values()):
            process.send_signal(signal.SIGTERM)
        for process in self._running.values():
            process.wait(30)

    def execute(self, container: str, *arguments: str) -> str:
        """What `docker compose exec CONTAINER valmius ...` prints. Raises RuntimeError with it if that fails."""
        return self._complete(container, [*_program("valmius"), *arguments])

    def check_health(self, container: str) -> None:
        """Run the container's own health check. Raises RuntimeError if it is not well."""
        test = [self.place.rewritten(word, container) for word in self.services[container]["healthcheck"]["test"]]
        assert test[:2] == ["CMD", "python"]
        self._complete(container, [sys.executable, *test[2:]])

    def logs(self) -> str:
        """The last lines of every container."""
        files = sorted(self.place.folder.glob("*.log"))
        return "\n".join(f"--- {file.stem}\n{file.read_text(errors='replace')[-1500:]}" for file in files)

    def _start(self, name: str) -> None:
        told = self.services[name]
        command = [*_program(told["image"]), *(self.place.rewritten(word, name) for word in told.get("command", ()))]
        if self._awaited(name):
            self._complete(name, command)
            return
        with (self.place.folder / f"{name}.log").open("wb") as log:
            self._running[name] = subprocess.Popen(
                command, cwd=ROOT, env=self._environment(name), stdout=log, stderr=subprocess.STDOUT
            )

    def _awaited(self, name: str) -> bool:
        wishes = [told.get("depends_on", {}).get(name, {}) for told in self.services.values()]
        return any(wish.get("condition") == "service_completed_successfully" for wish in wishes)

    def _complete(self, container: str, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self._environment(container), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _environment(self, container: str) -> dict[str, str]:
        return self.place.environment(self.services[container].get("environment", {}), container)


def _program(image: str) -> list[str]:
    """What the image runs its command with."""
    if image.startswith("nats:"):
        return [program("nats-server")]
    return [sys.executable, "-W", "error::RuntimeWarning", "-m", "services.cli"]


class Proxy(httpx.BaseTransport):
    """Leads each path to the service that declares it, as Caddy does, and tells the same headers."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._transport = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on over plain http; the host that was asked for stays in its headers."""
        address = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._place.pages[door(request.url.path)])
        headers = [*request.headers.raw, (b"x-forwarded-for", b"192.0.2.1"), (b"x-forwarded-proto", b"https")]
        return self._transport.handle_request(
            httpx.Request(
                request.method, address, headers=headers, stream=request.stream, extensions=request.extensions
            )
        )

    def close(self) -> None:
        """Close the connections to the services."""
        self._transport.close()


def door(path: str) -> str:
    """The service behind this path: the longest declared prefix decides."""
    prefixes = [(prefix, service.name) for service in SERVICES for prefix in service.serves if path.startswith(prefix)]
    return max(prefixes, key=lambda entry: len(entry[0]))[1]


class Post:
    """The letters in the catcher."""

    def __init__(self, place: Place) -> None:
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{place.pages['catcher']}")

    def links(self, path: str, *, wanted: int) -> dict[str, str]:
        """The links of this path by recipient, once as many have come."""
        found: dict[str, str] = {}
        for _ in range(600):
            found = self._found(path)
            if len(found) >= wanted:
                return found
            pause(0.05)
        raise AssertionError(f"{len(found)} of {wanted} letters with {path} came: {json.dumps(found)}")

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _found(self, path: str) -> dict[str, str]:
        letters = self._client.get("/api/letters").json()["letters"]
        return {letter["to"]: link for letter in letters for link in letter["links"] if path in link}
