"""Settings: what an operator writes is understood, or refused by name."""

from pathlib import Path

import pytest

from shared.settings import Settings, SettingsError

SECRET = {"VALMIUS_SECRET": "x" * 32}


def test_parts_nest_by_two_underscores() -> None:
    settings = Settings.read({**SECRET, "VALMIUS_SMTP__HOST": "relay.example.org", "VALMIUS_SMTP__PORT": "25"})

    assert (settings.smtp.host, settings.smtp.port) == ("relay.example.org", 25)


def test_each_service_has_its_own_database() -> None:
    settings = Settings.read({**SECRET, "VALMIUS_DATABASE": "sqlite+aiosqlite:///x/{service}.db"})

    assert settings.database_of("intake") == "sqlite+aiosqlite:///x/intake.db"


@pytest.mark.parametrize("name", ["VALMIUS_SMPT__HOST", "VALMIUS_SMTP__HOTS", "VALMIUS_COLOUR"])
def test_an_unknown_name_is_an_error_that_names_it(name: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.read({**SECRET, name: "x"})

    named, _, reason = str(raised.value).partition(": ")
    assert name.startswith(named)
    assert reason == "this name is not known"


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        Settings.read({"VALMIUS_SMTP__PORT": "many", "VALMIUS_PUBLIC_URL": "valmius"})

    assert all(name in str(raised.value) for name in ("VALMIUS_SECRET", "VALMIUS_SMTP__PORT", "VALMIUS_PUBLIC_URL"))


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("y" * 40 + "\n")

    settings = Settings.read({"VALMIUS_SECRET_FILE": str(file)})

    assert settings.secret.get_secret_value() == "y" * 40


def test_a_file_that_is_missing_is_said_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"VALMIUS_SECRET_FILE.*cannot be read"):
        Settings.read({"VALMIUS_SECRET_FILE": str(tmp_path / "none")})


def test_secrets_are_not_shown() -> None:
    assert "xxxx" not in repr(Settings.read(SECRET))
