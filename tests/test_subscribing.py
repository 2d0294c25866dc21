"""The operator's commands for the subscribers, as they are typed."""

import json
from pathlib import Path

import pytest

from tests.test_operator import Operator

BASIS = "contacts of the member associations, annual meeting 2026"
LIST = "Sähköposti;Nimi\naino@example.org;Aino\nbertta@example.org;Bertta\n"
MEMBERS = ("--audience", "members", "--basis", BASIS)


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


@pytest.fixture
def members(tmp_path: Path) -> str:
    file = tmp_path / "members.csv"
    file.write_text(LIST, encoding="utf-8")
    return str(file)


@pytest.mark.slow
def test_members_are_imported_shown_exported_and_erased(operator: Operator, members: str, tmp_path: Path) -> None:
    tried = operator.told("subscribers", "import", members, *MEMBERS, "--dry-run")
    imported = operator.told("subscribers", "import", members, *MEMBERS)
    shown = json.loads(operator.types("subscribers", "show", "AINO@example.org"))
    erased = operator.told("subscribers", "erase", "aino@example.org", "--yes")
    in_the_bytes = [path.name for path in tmp_path.glob("notify.db*") if b"aino@example.org" in path.read_bytes()]
    again = operator.types("subscribers", "import", members, *MEMBERS)
    exported = operator.told("subscribers", "export", str(tmp_path / "all.csv"))
    kept = operator.told("retention")

    assert (tried["imported"], imported["imported"], imported["new"]) == (False, True, 2)
    assert (shown["state"], shown["stated_basis"], shown["name"]) == ("confirmed", BASIS, "Aino")
    assert (erased["subscribers"], erased["scrubbed"]) == (1, True)
    assert again.startswith("2 rows: 0 new, 0 changed, 1 as before, 0 bad, 1 left or erased")
    assert exported["rows"] == 1
    assert (tmp_path / "all.csv").stat().st_mode & 0o077 == 0
    assert kept["unconfirmed"] == {"kept_hours": 48, "present": 0, "due": 0, "removed": None, "removed_at": None}
    assert in_the_bytes == []


def test_what_cannot_be_meant_is_refused_in_plain_words(operator: Operator, members: str) -> None:
    residents = operator.types("subscribers", "import", members, "--audience", "residents", "--basis", BASIS, code=2)
    no_basis = operator.types("subscribers", "import", members, "--audience", "members", "--basis", "so", code=2)
    no_address = operator.types("subscribers", "erase", "aino", code=2)

    assert "residents subscribe by themselves" in residents
    assert "10 to 500 characters" in no_basis
    assert "not an email address" in no_address


def test_an_erasure_is_asked_about(operator: Operator, members: str) -> None:
    operator.types("subscribers", "import", members, *MEMBERS)

    refused = operator.types("subscribers", "erase", "aino@example.org", code=1)
    nobody = operator.types("subscribers", "show", "cecilia@example.org", code=1)

    assert "removed for good" in refused
    assert '"state": ""' in nobody
    assert '"state": "confirmed"' in operator.types("subscribers", "show", "aino@example.org")
