"""`valmius exercise run` as somebody runs it: a whole exercise from the file to the report, or broken off."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import pause
from tests.system import ROOT
from tests.tiny_scenario import write_tiny_scenario

pytestmark = [pytest.mark.connected, pytest.mark.slow, pytest.mark.timeout(400)]


def command(tmp_path: Path, *options: str) -> list[str]:
    file = write_tiny_scenario(tmp_path / "tiny.yaml", municipalities=["Forssa", "Tammela"])
    return [
        *(sys.executable, "-W", "error::RuntimeWarning", "-m", "services.cli", "exercise", "run", str(file)),
        *("--report", str(tmp_path / "out.html"), *options),
    ]


def surroundings(tmp_path: Path) -> dict[str, str]:
    """An environment that names an installation, which must not be touched, and where temporary folders are made."""
    (tmp_path / "temporary").mkdir()
    elsewhere = {"VALMIUS_DATABASE": f"sqlite+aiosqlite:///{tmp_path}/installed-{{service}}.db"}
    return {**os.environ, **elsewhere, "PYTHONUNBUFFERED": "1", "TMPDIR": str(tmp_path / "temporary")}


def test_a_scenario_is_played_to_its_end_and_reported(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path), cwd=ROOT, env=surroundings(tmp_path), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr + done.stdout
    figures = dict(re.findall(r"^(asked|answered|not reached|silent): (\d+)", done.stdout, re.MULTILINE))
    asked = int(figures.pop("asked"))
    assert asked > 300
    assert asked == sum(map(int, figures.values()))
    assert int(figures["answered"]) > asked / 4
    assert "0:40 of 0:40" in done.stdout or "answered; " in done.stdout
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "HARJOITUS" in page
    assert not re.search(r'(src|href)="(?!#|data:)', page)
    assert "@" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    assert not list((tmp_path / "temporary").iterdir())
    assert not list(tmp_path.glob("installed-*"))


def test_ctrl_c_breaks_it_off_and_leaves_nothing_running(tmp_path: Path) -> None:
    keep = tmp_path / "kept"
    with subprocess.Popen(
        command(tmp_path, "--speed", "10", "--keep", str(keep)),
        cwd=ROOT,
        env=surroundings(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        first = running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, complaint = running.communicate(timeout=60)

    assert "answered; " in first
    assert running.returncode == 130, complaint
    assert complaint.strip() == "broken off; no report was written"
    assert not (tmp_path / "out.html").exists()
    ports = next(keep.glob("nats/nats-server_*.ports"), None)
    for _ in range(50):
        if ports is None or not Path(f"/proc/{ports.stem.removeprefix('nats-server_')}").exists():
            return
        pause(0.1)
    pytest.fail("the nats-server is still there")
