"""The processes that are killed: `makegood serve`, and the PostgreSQL that serves its data folder."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

SETTINGS = {
    "MAKEGOOD_DEADLINE_MS": "1500",  # Room for sixty-four clients and two servers on a small machine.
    "MAKEGOOD_QUOTE_VALID_SECONDS": "4",
    "MAKEGOOD_CAPTURE_GRACE_SECONDS": "1",
    "MAKEGOOD_LOG_LEVEL": "error",
}
VALID_SECONDS, GRACE_SECONDS = 4, 1


class Server:
    """A `makegood serve` on a port it keeps, started again whenever it was killed."""

    def __init__(self, data: Path, log: Path, workers: int) -> None:
        self.data, self.log, self.port, self.workers = data, log, _free_port(), workers
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens when it runs."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; it answers a moment later."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKEGOOD_")}
        program = "from makegood.cli.main import main; main()"
        words = ["serve", "--data", self.data, "--port", self.port, "--workers", self.workers, "--json"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program, *map(str, words)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=environment | SETTINGS,
            )  # fmt: skip

    def crew(self) -> list[int]:
        """The process ids of its workers, if it has any."""
        if self.process is None or self.workers == 1:
            return []
        return [pid for pid in _pids() if _parent(pid) == self.process.pid and "makegood.cli.worker" in _command(pid)]

    def send(self, number: signal.Signals) -> bool:
        """To it and its workers. Whether there was a process to send it to."""
        if self.process is None or self.process.poll() is not None:
            return False
        crew = self.crew()
        self.process.send_signal(number)
        signal_all(crew, number)
        return True

    def kill(self) -> bool:
        """SIGKILL, its workers, too, as a service manager does; they are gone when this returns."""
        self.send(signal.SIGSTOP)  # It starts no further worker.
        crew = self.crew()
        killed = self.send(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
        while any(_state(pid) != "Z" for pid in crew):  # They hold its port.
            signal_all(crew, signal.SIGKILL)
            time.sleep(0.01)
        return killed

    def stop(self) -> None:
        """Let it end by itself, or make it."""
        self.send(signal.SIGCONT)
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
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
