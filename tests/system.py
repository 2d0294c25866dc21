"""The whole system as a user starts it: one command, in a folder of its own, on free ports."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.postgres import free_port
from tests.servers import pause

ROOT = Path(__file__).parents[1]
SIGN_IN = re.compile(r"^  ([\w, ]+?) {2,}(\w+) .*?(http\S+/sign-in/\S+)$")


class System:
    """`valmius run` as a process. Its folder outlives it: start again and the data is there."""

    def __init__(self, folder: Path, *, demo: bool = True) -> None:
        self.folder = folder
        self.port, self.mail_port, self.smtp_port = free_port(), free_port(), free_port()
        self.reply_port, self.bounce_port = free_port(), free_port()
        self.output: list[str] = []
        self._demo = demo
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def mail_url(self) -> str:
        return f"http://127.0.0.1:{self.mail_port}"

    def start(self) -> None:
        """Start and return when it says that it runs. Raises RuntimeError with its last words if it ends before."""
        self.output = []
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-W", "error::RuntimeWarning", "-m", "services.cli", "run"),
                *("--folder", str(self.folder), "--demo" if self._demo else "--no-demo"),
                *("--port", str(self.port), "--mail-port", str(self.mail_port), "--smtp-port", str(self.smtp_port)),
                *("--reply-port", str(self.reply_port)),
                *("--bounce-port", str(self.bounce_port)),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        for _ in range(9000):
            if any(line.startswith("Ctrl-C") for line in self.output):
                return
            if self._process.poll() is not None:
                break
            pause(0.02)
        raise RuntimeError("the system did not start:\n" + "\n".join(self.output[-40:]))

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        return self._end(signal.SIGINT)

    def kill(self) -> int:
        """As a power switch would."""
        return self._end(signal.SIGKILL)

    def sign_in_links(self) -> dict[str, str]:
        """The printed sign-in links by given name."""
        return {found[2]: found[3] for line in self.output if (found := SIGN_IN.match(line))}

    def _end(self, how: signal.Signals) -> int:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(how)
        code = self._process.wait(40)
        assert self._reader is not None
        self._reader.join(10)
        if self._process.stdout:
            self._process.stdout.close()
        return code

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output.append(line.rstrip("\n"))
