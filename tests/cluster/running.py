"""A cluster started by the one command that people use, and what may happen to its machines."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TTL_SECONDS = 20  # Patroni takes no shorter one.
START_SECONDS_MAX = 150
LOOK_SECONDS = 0.1


@dataclass
class Running:
    """The command, running, and what it said about its nodes."""

    process: "subprocess.Popen[str]"
    told: dict[str, Any]

    @property
    def url(self) -> str:
        """What `makegood serve` would be given."""
        return str(self.told["url"])

    @property
    def admin_url(self) -> str:
        """What `makegood house create` would be given."""
        return str(self.told["admin_url"])

    def node(self, name: str) -> dict[str, Any]:
        """What the command said of one node."""
        return next(dict(node) for node in self.told["nodes"] if node["name"] == name)

    def data(self, name: str) -> Path:
        """The data folder of a node's PostgreSQL."""
        return Path(self.node(name)["data"])

    def members(self) -> dict[str, dict[str, Any]]:
        """The members as a Patroni that answers sees them; none while nobody answers."""
        for node in self.told["nodes"]:
            url = f"http://127.0.0.1:{node['rest']}/cluster"
            with suppress(OSError, ValueError, KeyError), urllib.request.urlopen(url, timeout=1) as answer:
                return {str(one["name"]): one for one in json.load(answer)["members"]}
        return {}

    def primary(self) -> str:
        """The name of the leader."""
        return next(name for name, one in self.members().items() if one["role"] == "leader")

    def machine(self, name: str) -> set[int]:
        """Every process of a node: its Patroni, its PostgreSQL and their children."""
        postmaster = int((self.data(name) / "postmaster.pid").read_text().split("\n", 1)[0])
        return {one for top in (int(self.node(name)["pid"]), postmaster) for one in _family(top)}

    def signal(self, name: str, what: signal.Signals) -> None:
        """Send a signal to every process of a node, as near to at once as can be."""
        for pid in self.machine(name):
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    def mend(self) -> None:
        """Start again what has ended."""
        self.process.send_signal(signal.SIGHUP)
        self.told = self._line()

    async def settled(self, seconds: float = 60) -> dict[str, dict[str, Any]]:
        """The members, once all stream from one leader and one of them is synchronous."""
        async with asyncio.timeout(seconds):
            while True:
                found = await asyncio.to_thread(self.members)
                roles = sorted(str(one["role"]) for one in found.values())
                states = {str(one["state"]) for one in found.values()}
                # A node that comes back may stream for a moment before it is rewound, on its old timeline.
                timelines = {one.get("timeline") for one in found.values()}
                complete = roles == ["leader", "replica", "sync_standby"] and states == {"running", "streaming"}
                if complete and len(timelines) == 1:
                    return found
                await asyncio.sleep(LOOK_SECONDS)

    def interrupt(self) -> int:
        """Ctrl-C, and what the command returned."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def pids(self) -> set[int]:
        """Every process that belongs to the cluster."""
        return set(_family(self.process.pid)).union(
            *(self.machine(node["name"]) for node in self.told["nodes"] if self.data(node["name"]).exists())
        )

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the cluster did not start: it returned {self.process.wait(60)}"
        told: dict[str, Any] = json.loads(line)
        return told


@contextmanager
def running(folder: str | None = None) -> Iterator[Running]:
    """A cluster of three nodes; afterwards it has ended, whatever happened to it. A given folder stays as it is."""
    command = [sys.executable, "-m", "scripts.nodes", "--json", *(["--folder", folder] if folder else [])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        cluster = Running(process, {})
        try:
            cluster.told = cluster._line()
            yield cluster
        finally:
            if process.poll() is None:
                cluster.interrupt()


def gone(pids: set[int], seconds: float = 10) -> bool:
    """Whether none of these processes runs any more, waiting a while for the last."""
    until = time.monotonic() + seconds
    while any(_runs(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def _runs(pid: int) -> bool:
    return _stat(pid)[0] not in ("", "Z")


def _family(top: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield top
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _stat(int(entry.name))[1] == top:
            yield from _family(int(entry.name))


def _stat(pid: int) -> tuple[str, int]:
    """State and parent of a process; ("", 0) where there is none."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[:2]
    except (OSError, ValueError, IndexError):
        return "", 0
    return state, int(parent)
