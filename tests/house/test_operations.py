"""The operator's guide tells of every setting, and of none that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from typer.core import TyperGroup
from typer.main import get_command

from services.cli import app
from shared.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(VALMIUS_\w+)` \| (.+?) \|", re.MULTILINE)
COMPOSE_FILES = ("docker-compose.yml", "deploy/env.example")


def settings(part: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    """Each setting's name and its default as the guide writes it."""
    for name, field in part.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings(field.annotation, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}", default(field)


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    if value is None:
        assert NoneType in get_args(field.annotation)
        return "none"
    return f"`{value}`" if str(value) else "empty"


def test_the_guide_tells_of_every_setting_with_its_default() -> None:
    assert dict(ROW.findall(GUIDE)) == dict(settings(Settings, PREFIX))


def test_compose_gives_only_settings_that_there_are() -> None:
    known = dict(settings(Settings, PREFIX))
    given = {
        name for file in COMPOSE_FILES for name in re.findall(r"VALMIUS_\w+", (ROOT / file).read_text(encoding="utf-8"))
    }

    assert given <= set(known)


def commands(group: TyperGroup, path: str = "") -> Iterator[str]:
    """Each command as it is typed after `valmius`."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}"


def test_every_command_of_the_guide_is_there() -> None:
    whole = get_command(app)
    assert isinstance(whole, TyperGroup)

    groups = "|".join(name for name, command in whole.commands.items() if isinstance(command, TyperGroup))
    told = set(re.findall(rf"valmius ((?:{groups}) [\w-]+|[a-z][\w-]+)", GUIDE.replace("valmius -C", "")))

    assert told
    assert told <= set(commands(whole))
