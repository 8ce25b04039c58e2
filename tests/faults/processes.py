"""The processes that are killed: `makegood serve`, and the PostgreSQL that serves its data folder."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

SETTINGS = {
    "MAKEGOOD_DEADLINE_MS": "1500",  # Room for sixty-four clients and two servers on a small machine.
    "MAKEGOOD_QUOTE_VALID_SECONDS": "2",
    "MAKEGOOD_CAPTURE_GRACE_SECONDS": "1",
    "MAKEGOOD_LOG_LEVEL": "error",
}
VALID_SECONDS, GRACE_SECONDS = 2, 1


class Server:
    """A `makegood serve` on a port it keeps, started again whenever it was killed."""

    def __init__(self, data: Path, log: Path) -> None:
        self.data, self.log, self.port = data, log, _free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens when it runs."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; it answers a moment later."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKEGOOD_")}
        program = "from makegood.cli.main import main; main()"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program, "serve", "--data", str(self.data), "--port", str(self.port), "--json"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=environment | SETTINGS,
            )  # fmt: skip

    def send(self, number: signal.Signals) -> bool:
        """Whether there was a process to send it to."""
        if self.process is None or self.process.poll() is not None:
            return False
        self.process.send_signal(number)
        return True

    def kill(self) -> bool:
        """SIGKILL; it is gone when this returns."""
        killed = self.send(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        return killed

    def stop(self) -> None:
        """Let it end by itself, or make it."""
        self.send(signal.SIGCONT)
        if self.send(signal.SIGTERM) and self.process is not None:
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


def postmaster(data: Path) -> int | None:
    """The process id of the PostgreSQL that serves `data`."""
    for pid in _pids():
        words = _command(pid)
        if words and Path(words[0]).name == "postgres" and _serves(words, data) and _state(pid) != "Z":
            return pid
    return None


def backends(data: Path) -> list[int]:
    """The processes that serve its connections, busiest first."""
    parent = postmaster(data)
    found = [
        pid
        for pid in (_pids() if parent is not None else ())
        if _parent(pid) == parent and "[local]" in " ".join(_command(pid))
    ]
    return sorted(found, key=_busy, reverse=True)


def signal_all(pids: list[int], number: signal.Signals) -> int:
    """How many of them were there to hear it."""
    heard = 0
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            heard += 1
    return heard


def end_postgres(data: Path) -> None:
    """Nothing of it runs afterwards."""
    while (parent := postmaster(data)) is not None:
        signal_all([pid for pid in _pids() if _parent(pid) == parent] + [parent], signal.SIGKILL)


def _serves(words: list[str], data: Path) -> bool:
    return any(Path(word) == data or data in Path(word).parents for word in words[1:] if word.startswith("/"))


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except (OSError, IndexError):
        return []


def _state(pid: int) -> str:
    return (_stat(pid) or ["Z"])[0]


def _parent(pid: int) -> int:
    stat = _stat(pid)
    return int(stat[1]) if stat else 0


def _busy(pid: int) -> int:
    stat = _stat(pid)
    return int(stat[11]) + int(stat[12]) if stat else 0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
