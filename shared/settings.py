"""Settings: everything that differs between installations, from `VALMIUS_*`. An unknown name is an error."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

PREFIX = "VALMIUS_"


class SettingsError(Exception):
    """A setting is unknown, missing or wrong; the text says which, and what to write."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Nats(_Part):
    """The bus. `seeds` is the folder with one nkey seed per service (`intake.nk`, ...); none: no authentication."""

    url: str = "nats://127.0.0.1:4222"
    seeds: Path | None = None
    replicas: int = Field(default=1, ge=1, le=5)


class Smtp(_Part):
    """The mail relay, and how fast it may be used (letters a second, shared by all lanes of all workers).

    `domain_rate` is the same for each receiving domain, 0: no limit; `domain_rates` are its exceptions, such as
    `gmail.com=10 example.org=0.5`.
    """

    host: str = "127.0.0.1"
    port: int = 1025
    username: str = ""
    password: SecretStr = SecretStr("")
    tls: Literal["none", "starttls", "implicit"] = "none"
    rate: float = Field(default=200.0, gt=0)
    domain_rate: float = Field(default=0.0, ge=0)
    domain_rates: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9.-]+=[0-9]+([.][0-9]+)?( +|$))*$")] = ""
    connections: int = Field(default=5, ge=1, le=50)


class Inbound(_Part):
    """Where letters come in, from the relay that takes them for the mail domain; port 0: nowhere."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    protocol: Literal["smtp", "lmtp"] = "smtp"
    rate: int = Field(default=600, ge=1)


Selector = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)?$")]


class Dkim(_Part):
    """The keys (PEM) by which letters are signed, and the selectors under which they are published; none: they are not.

    The second is for a second signature of each letter, mostly an Ed25519 key beside one of RSA.
    """

    selector: Selector = ""
    key: SecretStr = SecretStr("")
    second_selector: Selector = ""
    second_key: SecretStr = SecretStr("")


class Settings(_Part):
    """All settings of one process. `database` may contain `{service}`, so that each service has its own.

    Letters that answer ours come in at `inbound` (intake), those that came back at `bounces` (notify).

    `mirror` is the folder in which notify keeps the public pages as plain files; none: nowhere.
    `framed_by` are the origins, with spaces between, whose pages may show `/embed` in a frame; none: nobody's.
    `channels` are addresses of Apprise with spaces between, `webhook_networks` the networks beside the public one to
    which webhooks may go, `cap_sources` the feeds of warnings from which situations are suggested. `form_url` is where
    an exercise reaches the answer form for those whom it simulates, if it cannot at `public_url`.
    """

    database: str = "sqlite+aiosqlite:///var/{service}.db"
    nats: Nats = Nats()
    smtp: Smtp = Smtp()
    dkim: Dkim = Dkim()
    inbound: Inbound = Inbound()
    bounces: Inbound = Inbound()
    secret: SecretStr = Field(min_length=32)
    public_url: Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+$")] = "http://127.0.0.1:8000"
    form_url: Annotated[str, StringConstraints(pattern=r"^(https?://[^/\s]+)?$")] = ""
    mail_domain: str = "valmius.example.org"
    phone: str = "+358 40 000 0000"
    escalate_after_hours: int = Field(default=4, ge=1, le=168)
    log: Literal["text", "json"] = "json"
    var: Path = Path("var")
    mirror: Path | None = None
    framed_by: Annotated[str, StringConstraints(pattern=r"^(https?://[A-Za-z0-9.:-]+( |$))*$")] = ""
    confirm_twice_a_year: bool = True
    channels: SecretStr = SecretStr("")
    webhook_networks: str = ""
    cap_sources: Annotated[str, StringConstraints(pattern=r"^(https?://[^/\s]\S*( |$))*$")] = ""

    @property
    def secure(self) -> bool:
        """True where pages are served over https: cookies are then sent over https only."""
        return self.public_url.startswith("https://")

    def database_of(self, service: str) -> str:
        """The database URL of one service."""
        return self.database.format(service=service)

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Settings from `VALMIUS_*`; parts nest by `__` (`VALMIUS_SMTP__HOST`), `_FILE` reads a value from a file.

        Raises SettingsError naming each setting that is unknown, missing or wrong.
        """
        tree: dict[str, object] = {}
        for name, value in environment.items():
            if name.startswith(PREFIX):
                _plant(tree, name, value)
        try:
            return cls.model_validate(tree)
        except ValidationError as error:
            raise SettingsError(
                "\n".join(_explain(problem["loc"], problem["msg"]) for problem in error.errors())
            ) from error


def _plant(tree: dict[str, object], name: str, value: str) -> None:
    path = name.removeprefix(PREFIX).lower()
    if path.endswith("_file"):
        path, value = path.removesuffix("_file"), _contents(name, value)
    *folders, leaf = path.split("__")
    for folder in folders:
        branch = tree.setdefault(folder, {})
        if not isinstance(branch, dict):
            raise SettingsError(f"{name}: {folder} is given both as a value and as a group")
        tree = branch
    tree[leaf] = value


def _contents(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}: the file {path} cannot be read ({error.strerror})") from error


def _explain(location: tuple[int | str, ...], message: str) -> str:
    name = PREFIX + "__".join(str(step) for step in location).upper()
    return f"{name}: {'this name is not known' if message.startswith('Extra inputs') else message}"
