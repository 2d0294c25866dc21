"""The house keeps its shape: short files and functions, locked dependencies, doors that agree."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from services.composition import SERVICES
from shared.events import EVENT_TYPES

ROOT = Path(__file__).parents[2]
PYTHON = sorted(path for top in ("services", "shared", "tests", "benchmarks") for path in (ROOT / top).rglob("*.py"))
STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)
"""What a function can stand in; expressions are not looked through."""
REQUIREMENT = re.compile(r"^[A-Za-z0-9_.-]+")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    waiting: list[ast.AST] = [tree(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, STATEMENTS)]


def test_no_file_is_over_400_lines() -> None:
    long = [relative(path) for path in PYTHON if len(path.read_text(encoding="utf-8").splitlines()) > 400]

    assert [name for name in long if "/migrations/" not in name] == []


def test_no_function_is_over_60_lines() -> None:
    long = [
        f"{relative(path)}:{function.lineno} {function.name}"
        for path in PYTHON
        if "/migrations/" not in str(path)
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > 60
    ]

    assert long == []


def test_every_module_says_which_room_it_is() -> None:
    silent = [
        relative(path) for path in PYTHON if not ast.get_docstring(tree(path)) and "/migrations/" not in str(path)
    ]

    assert silent == []


def test_no_file_is_named_for_nothing() -> None:
    empty_names = {"utils", "helpers", "common", "base", "types", "constants", "manager"}

    assert [relative(path) for path in PYTHON if path.stem in empty_names] == []


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt"])
def test_everything_installed_is_locked_with_hashes(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + (project["optional-dependencies"]["dev"] if lock == "dev.txt" else [])
    text = (ROOT / "deploy" / "locks" / lock).read_text(encoding="utf-8")
    locked = {canonical(line.split("==")[0]) for line in text.splitlines() if "==" in line and line[0].isalnum()}

    missing = {name for entry in wanted if (name := canonical(entry)) not in locked}

    assert missing == set()
    assert text.count("--hash=sha256:") > len(locked)
    assert "://" not in text


def canonical(requirement: str) -> str:
    """The name of a requirement as registries compare it."""
    found = REQUIREMENT.match(requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def test_the_reverse_proxy_leads_to_each_service_as_it_declares() -> None:
    caddy = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")

    for service in SERVICES[:-1]:
        [paths] = re.findall(rf"@{service.name} path (.+)", caddy)
        assert {path.rstrip("*") for path in paths.split()} == set(service.serves)
        assert f"handle @{service.name} {{\n\t\treverse_proxy {service.name}:8000" in caddy
    assert "/" in SERVICES[-1].serves
    assert re.search(rf"handle \{{\n\t\treverse_proxy {SERVICES[-1].name}:8000", caddy)


def test_the_reverse_proxy_asks_the_longer_prefix_first() -> None:
    caddy = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    places = {prefix: caddy.index(f"handle @{service.name} ") for service in SERVICES[:-1] for prefix in service.serves}

    within = [(long, short) for long in places for short in places if long != short and long.startswith(short)]

    assert ("/api/v1/status/", "/api/") in within
    assert all(places[long] <= places[short] for long, short in within)


def test_no_two_services_claim_one_door() -> None:
    doors = [prefix for service in SERVICES for prefix in service.serves]

    assert len(doors) == len(set(doors))


def test_what_is_heard_is_said_by_somebody() -> None:
    said = {event for service in SERVICES for event in service.voice.says}

    assert {event for service in SERVICES for event in service.voice.hears} <= said


def test_each_event_names_the_services_that_hear_it() -> None:
    heard = {event: tuple(s.name for s in SERVICES if event in s.voice.hears) for event in EVENT_TYPES.values()}

    assert {event: set(event.heard_by) for event in heard} == {event: set(names) for event, names in heard.items()}


def test_nothing_in_the_tree_names_a_registry_or_a_path_of_one_machine() -> None:
    hosts = "|".join(["pypi" + r"\.org", "python" + r"hosted\.org", "npm" + r"js\.org", "deb" + r"ian\.org"])
    found = subprocess.run(
        ["git", "grep", "-lIE", hosts, "--", "."], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert found.stdout == ""
