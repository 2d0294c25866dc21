"""The operator's commands on an installation of their own, as they are typed."""

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.notify.app import make_app
from services.notify.broadcast.store import BroadcastStore
from services.notify.delivery import model
from services.notify.delivery.model import Lane
from services.notify.delivery.store import Ledger
from shared.clock import SystemClock
from shared.settings import Settings
from tests.notify.guidance.drafts import published, resident

GOOD = "Nimi;Rekisterinumero;Kotipaikka;Sähköposti\nForssan Partio;1.002;Forssa;forssa@example.org\n"
BAD = GOOD + "Turun Partio;1.003;Turku;turku@example.org\n"


class Operator:
    """Somebody at the command line, with the settings of one installation."""

    def __init__(self, folder: Path) -> None:
        self._environment = {
            "VALMIUS_DATABASE": f"sqlite+aiosqlite:///{folder}/{{service}}.db",
            "VALMIUS_SECRET": "a secret of at least thirty-two characters",
            "VALMIUS_NATS__URL": "nats://127.0.0.1:1",
            "VALMIUS_SMTP__PORT": "1",
            "VALMIUS_PUBLIC_URL": "https://valmius.example.org",
        }

    @property
    def settings(self) -> Settings:
        """The same settings as the commands read them."""
        return Settings.read(self._environment)

    def types(self, *arguments: str, code: int = 0, **settings: str | None) -> str:
        """What comes back on standard output; the command must end with this code."""
        done = CliRunner().invoke(app, arguments, env={**self._environment, **settings})
        assert done.exit_code == code, f"{done.exit_code}: {done.output}"
        return done.stdout if not code or "--json" in arguments else done.output

    def told(self, *arguments: str, code: int = 0, **settings: str | None) -> Any:
        """The same as JSON."""
        return json.loads(self.types(*arguments, "--json", code=code, **settings))


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def written(folder: Path, text: str) -> str:
    file = folder / "registry.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


@pytest.mark.slow
def test_migrating_tells_what_it_did_and_does_it_once(operator: Operator) -> None:
    first = operator.told("migrate")

    assert list(first) == ["intake", "status", "exercise", "notify"]
    assert all(applied[0] == "0001" for applied in first.values())
    assert operator.told("migrate", "intake") == {"intake": []}
    assert operator.types("migrate", "status") == "status: up to date\n"


def test_a_service_that_does_not_exist_is_named(operator: Operator) -> None:
    assert "there is no service exersice" in operator.types("migrate", "exersice", code=2)


def test_a_person_is_added_and_gets_a_link(operator: Operator) -> None:
    person = ("people", "add", "aino@example.org", "Aino", "--role", "liaison", "--role", "clerk")

    added = operator.told(*person, "--municipality", "forssa")
    link = operator.types("people", "link", "AINO@example.org")

    assert added["roles"] == ["clerk", "liaison"]
    assert operator.told(*person)["person"] == added["person"]
    assert link.startswith("link: https://valmius.example.org/sign-in/")


def test_who_has_left_gets_no_link(operator: Operator) -> None:
    operator.types("people", "add", "bertta@example.org", "Bertta", "--role", "editor", "--retired")

    assert "nobody of the staff has this address" in operator.types("people", "link", "bertta@example.org", code=2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("aino", "Aino", "--role", "liaison"), "aino is not an email address"),
        (("aino@example.org", "Aino", "--role", "queen"), "'queen' is not one of"),
        (("aino@example.org", "Aino", "--role", "liaison", "--municipality", "Turku"), "not a municipality"),
    ],
)
def test_a_slip_of_the_pen_is_said(operator: Operator, arguments: tuple[str, ...], said: str) -> None:
    output = operator.types("people", "add", *arguments, code=2)

    assert said in " ".join(output.replace("│", " ").split())


def test_a_registry_is_tried_imported_and_imported_again(operator: Operator, tmp_path: Path) -> None:
    file = written(tmp_path, GOOD)

    tried = operator.told("registry", "import", file, "--dry-run")
    imported = operator.told("registry", "import", file)
    again = operator.types("registry", "import", file)

    assert (tried["imported"], tried["new"]) == (False, 1)
    assert (imported["imported"], imported["new"]) == (True, 1)
    assert again == "1 rows: 0 new, 0 changed, 1 as before, 0 bad\n"


def test_nothing_is_imported_while_a_row_is_bad_unless_it_is_wanted(operator: Operator, tmp_path: Path) -> None:
    file = written(tmp_path, BAD)

    refused = operator.types("registry", "import", file, code=1)
    anyway = operator.told("registry", "import", file, "--anyway")

    assert "row 3, Kotipaikka: Turku is not a municipality of the region." in refused
    assert "Nothing was imported. Mend the file" in refused
    assert (anyway["imported"], anyway["new"], anyway["bad"]) == (True, 1, 1)
    assert anyway["errors"][0]["row"] == 3


def test_a_file_of_another_kind_is_refused(operator: Operator, tmp_path: Path) -> None:
    assert "Kotipaikka" in operator.types("registry", "import", written(tmp_path, "a;b\n1;2\n"), code=2)


@pytest.mark.slow
def test_a_register_is_exported_and_imported_unchanged(operator: Operator, tmp_path: Path) -> None:
    operator.types("registry", "import", written(tmp_path, GOOD))

    told = [operator.told("registry", "export", str(tmp_path / name)) for name in ("out.csv", "out.xlsx")]
    again = [operator.told("registry", "import", one["file"]) for one in told]
    elsewhere = operator.told("registry", "export", str(tmp_path / "loppi.csv"), "--municipality", "Loppi")

    assert [one["rows"] for one in told] == [1, 1]
    assert [(one["same"], one["changed"]) for one in again] == [(1, 0), (1, 0)]
    assert elsewhere["rows"] == 0
    assert "ends neither in .csv nor in .xlsx" in " ".join(
        operator.types("registry", "export", str(tmp_path / "out.pdf"), code=2).replace("│", " ").split()
    )


def test_a_sheet_that_is_not_there_is_said(operator: Operator, tmp_path: Path) -> None:
    operator.types("registry", "import", written(tmp_path, GOOD))
    operator.types("registry", "export", str(tmp_path / "out.xlsx"))

    refused = operator.types("registry", "import", str(tmp_path / "out.xlsx"), "--sheet", "Toinen", code=2)

    assert "There is no sheet of that name" in refused


def test_changes_are_shown_before_they_are_made(operator: Operator, tmp_path: Path) -> None:
    operator.types("registry", "import", written(tmp_path, GOOD))

    tried = operator.types("registry", "import", written(tmp_path, GOOD.replace("Partio", "Partiolaiset")), "--dry-run")

    assert "row 2, Forssan Partiolaiset, Nimi: Forssan Partio -> Forssan Partiolaiset" in tried


def test_the_commands_find_an_installation_by_its_folder(operator: Operator, tmp_path: Path) -> None:
    assert "nothing is installed in" in operator.types("migrate", "--folder", str(tmp_path), code=2)

    (tmp_path / "ports").write_text("18000 11025")
    operator.types("people", "add", "aino@example.org", "Aino", "--role", "viewer", "--folder", str(tmp_path))
    link = operator.types("people", "link", "aino@example.org", "--folder", str(tmp_path), VALMIUS_PUBLIC_URL=None)

    assert link.startswith("link: http://127.0.0.1:18000/sign-in/")


def problems(findings: list[dict[str, Any]]) -> dict[str, str]:
    return {finding["part"]: finding["problem"] for finding in findings if not finding["ok"]}


def test_the_doctor_says_of_each_part_what_is_wrong_and_what_to_do(operator: Operator) -> None:
    operator.types("migrate", "status")

    findings = operator.told("doctor", "intake", "status", code=1)

    wrong = problems(findings)
    assert list(wrong) == ["database of intake", "bus for intake", "bus for status", "mail relay"]
    assert "there is no file" in wrong["database of intake"]
    assert "nats://127.0.0.1:1 does not let us in" in wrong["bus for intake"]
    assert "127.0.0.1:1 does not take letters" in wrong["mail relay"]
    assert all(finding["remedy"] for finding in findings if finding["problem"])


def test_the_doctor_names_settings_that_are_missing_or_unsafe(operator: Operator) -> None:
    missing = operator.types("doctor", "intake", code=1, VALMIUS_SECRET="short")
    example = operator.told("doctor", "intake", code=1, VALMIUS_SECRET="change-this-secret-of-at-least-32-characters")
    open_door = operator.told("doctor", "intake", code=1, VALMIUS_PUBLIC_URL="http://valmius.example.org")

    assert missing.startswith("WRONG  settings: VALMIUS_SECRET")
    assert "the one of the example" in problems(example)["settings"]
    assert "unencrypted" in problems(open_door)["settings"]


def test_the_doctor_names_a_key_with_which_letters_could_not_be_signed(operator: Operator) -> None:
    unfit = operator.told("doctor", "notify", code=1, VALMIUS_DKIM__SELECTOR="autumn", VALMIUS_DKIM__KEY="no key")
    fit = operator.told("doctor", "notify", code=1)

    assert problems(unfit)["keys of letters"].startswith("VALMIUS_DKIM__KEY: this is no private key")
    assert list(problems(unfit))[1:] == list(problems(fit))


def test_the_doctor_finds_a_missing_identity_and_a_database_that_is_away(operator: Operator, tmp_path: Path) -> None:
    findings = operator.told(
        "doctor",
        "notify",
        code=1,
        VALMIUS_NATS__SEEDS=str(tmp_path / "keys"),
        VALMIUS_DATABASE="postgresql+asyncpg://valmius@127.0.0.1:1/valmius_{service}",
    )

    wrong = problems(findings)
    assert "there is no identity" in wrong["bus for notify"]
    assert "127.0.0.1:1 does not let us in" in wrong["database of notify"]


@pytest.mark.slow
def test_the_audit_is_verified_from_the_first_row_to_the_last(operator: Operator, tmp_path: Path) -> None:
    nothing = "notify: nothing was written down yet\nstatus: nothing was written down yet\n"
    assert operator.types("audit", "verify") == f"intake: nothing was written down yet\n{nothing}"
    for name in ("aino", "bertta"):
        operator.types("people", "add", f"{name}@example.org", name, "--role", "viewer", "--network", "silta")
    whole = operator.types("audit", "verify")

    with sqlite3.connect(tmp_path / "intake.db") as database:
        database.execute("DROP TRIGGER audit_unchanged")
        database.execute("UPDATE audit SET subject = 'another' WHERE number = 2")
    database.close()

    assert whole == f"intake: rows 1-2 are whole\n{nothing}"
    assert "intake: row 2 is missing or changed" in operator.types("audit", "verify", code=1)
    assert operator.told("audit", "verify", code=1)["intake"] == {"rows": 2, "broken": 2}


def test_what_is_kept_of_closed_situations_and_what_was_removed_is_told(operator: Operator, tmp_path: Path) -> None:
    before = operator.told("retention")
    with sqlite3.connect(tmp_path / "intake.db") as database:
        database.execute(
            "INSERT INTO situation_end (realm, situation_id, closed_at, removed, removed_at) "
            "VALUES ('live', '0123456789abcdef0123456789abcdef', '2020-03-01 12:00:00', 7, '2020-06-01 12:00:00')"
        )

    after = operator.told("retention")

    assert before | {"kept_days": 90, "due": 0, "situations": []} == before
    assert {"unconfirmed", "letters"} <= before.keys()
    [situation] = after["situations"]
    assert (after["due"], situation["present"], situation["removed"]) == (0, 0, 7)
    assert situation["due_at"].startswith("2020-05-30")
    assert "kept_days: 90" in operator.types("retention")


def test_a_broadcast_is_watched_to_its_end_and_resumed_after_a_pause(operator: Operator) -> None:
    operator.types("migrate", "notify")
    none_yet = operator.types("broadcast", "watch", code=2)
    asyncio.run(release_and_pause(operator.settings))

    half_way = operator.told("broadcast", "watch", "--once")
    resumed = operator.told("broadcast", "resume")
    asyncio.run(send_all(operator.settings))
    ended = operator.told("broadcast", "watch")

    assert "no guidance has been released yet" in none_yet
    assert (half_way["paused"], half_way["waiting"]) == ("11 of the last 200 letters failed", 1)
    assert resumed == {"paused": "11 of the last 200 letters failed", "goes_on": True}
    assert (ended["finished"], ended["paused"], ended["waiting"], ended["sent"]) == (True, None, 0, 1)
    assert "it was not" in operator.types("broadcast", "resume")


async def release_and_pause(settings: Settings) -> None:
    """Guidance for one, listed and not sent, in a lane that paused itself."""
    notify = make_app(settings)
    broadcasts: BroadcastStore = notify.state.broadcasts
    ledger: Ledger = notify.state.ledger
    await resident(notify.state.subscribers)
    await published(notify.state.guidance)
    while await broadcasts.plan_page():
        continue
    await ledger.pause(Lane.BULK, "11 of the last 200 letters failed")
    await notify.state.house.database.close()


async def send_all(settings: Settings) -> None:
    """What waits is sent, and its broadcast closed."""
    notify = make_app(settings)
    broadcasts: BroadcastStore = notify.state.broadcasts
    ledger: Ledger = notify.state.ledger
    now = SystemClock().now()
    claimed = await ledger.claim(Lane.BULK, limit=10, now=now)
    [letter] = await ledger.letters({(one.realm, one.letter_id) for one in claimed})
    await ledger.settle([model.sent(one, letter, at=now) for one in claimed])
    await broadcasts.finish()
    await notify.state.house.database.close()
