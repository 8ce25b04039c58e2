"""etcd and some Patronis on loopback: started, watched, and stopped so that nothing is left."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from scripts.nodes import processes
from scripts.nodes.config import CONFIG, environment
from scripts.nodes.plan import ADMIN, DATABASE, SERVER, SUPERUSER, Node, Plan, plan_of
from scripts.nodes.readable import programs

from makegood.store.embedded.programs import binaries, run
from makegood.store.migrate import migrate
from makegood.store.pool import connect

START_SECONDS_MAX = 120  # initdb and two copies of an empty cluster take ten.
LOOK_SECONDS = 0.2


class NotStarted(Exception):  # noqa: N818 - a state, told to whoever wanted it
    """The cluster did not come up; says which log to read."""


class Cluster:
    """A running cluster. `close` stops everything that belongs to it."""

    def __init__(self, folder: Path, count: int) -> None:
        """Prepare the folder; nothing runs yet."""
        folder.mkdir(parents=True, exist_ok=True)
        processes.own(folder)
        self.plan: Plan = plan_of(folder, count)
        self._etcd: subprocess.Popen[bytes] | None = None
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}
        self._programs = programs()

    def start(self) -> None:
        """Afterwards there is a primary with a synchronous standby, and the database can be used. Raises NotStarted."""
        self.mend()
        self._wait()
        asyncio.run(_prepare(self.plan))

    def mend(self) -> None:
        """Start whatever has ended, and wait for nothing."""
        if self._etcd is None or self._etcd.poll() is not None:
            self._etcd = self._start_etcd()
        for node in self.plan.nodes:
            process = self._nodes.get(node.name)
            if process is None or process.poll() is not None:
                self._nodes[node.name] = self._start_node(node)

    def close(self) -> None:
        """Stop every Patroni, then every PostgreSQL that a killed Patroni left behind, then etcd."""
        for process in self._nodes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
        processes.stop(list(self._nodes.values()))
        for node in self.plan.nodes:
            self._stop_orphan(self.plan.data(node))
        if self._etcd is not None:
            processes.stop([self._etcd])

    def pids(self) -> dict[str, int]:
        """The process ids of etcd and of each node's Patroni."""
        assert self._etcd is not None
        return {"etcd": self._etcd.pid} | {name: process.pid for name, process in self._nodes.items()}

    def _start_etcd(self) -> "subprocess.Popen[bytes]":
        home = self._folder("etcd")
        clients, peers = f"http://127.0.0.1:{self.plan.etcd}", f"http://127.0.0.1:{self.plan.peers}"
        options = {
            "name": "etcd", "data-dir": str(home / "data"), "listen-client-urls": clients,
            "advertise-client-urls": clients, "listen-peer-urls": peers, "initial-advertise-peer-urls": peers,
            "initial-cluster": f"etcd={peers}", "log-level": "warn",
        }  # fmt: skip
        command = [str(self._programs.etcd), *(f"--{name}={value}" for name, value in options.items())]
        return processes.spawn(command, home / "log", {})

    def _start_node(self, node: Node) -> "subprocess.Popen[bytes]":
        home = self._folder(node.name)
        config = home / "patroni.yml"
        shutil.copyfile(CONFIG, config)  # Where the user that runs it may read it.
        processes.own(config)
        command = [str(self._programs.python), "-m", "patroni", str(config)]
        said = environment(self.plan, node, binaries()) | self._programs.environment
        return processes.spawn(command, home / "log", said)

    def _folder(self, name: str) -> Path:
        folder = self.plan.folder / name
        folder.mkdir(exist_ok=True)
        processes.own(folder)
        return folder

    def _wait(self) -> None:
        until = time.monotonic() + START_SECONDS_MAX
        while not _is_complete(members(self.plan), len(self.plan.nodes)):
            ended = [name for name, process in self._nodes.items() if process.poll() is not None]
            if ended or time.monotonic() > until:
                raise NotStarted(f"{ended or 'the cluster'} did not start: see the files `log` in {self.plan.folder}")
            time.sleep(LOOK_SECONDS)

    def _stop_orphan(self, data: Path) -> None:
        with suppress(OSError, ValueError):
            pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, signal.SIGCONT)
            run("pg_ctl", "stop", "-D", str(data), "-m", "immediate", "-w")


def members(plan: Plan) -> list[dict[str, Any]]:
    """The members as the first Patroni that answers sees them: name, role, state, timeline. Empty if none answers."""
    for node in plan.nodes:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{node.rest}/cluster", timeout=2) as answer:
                found: list[dict[str, Any]] = json.load(answer)["members"]
                return found
        except (OSError, ValueError, KeyError):
            continue
    return []


def _is_complete(found: list[dict[str, Any]], count: int) -> bool:
    states = sorted((str(one.get("role")), str(one.get("state"))) for one in found)
    wanted = [("leader", "running"), *[("replica", "streaming")] * (count - 2), ("sync_standby", "streaming")]
    return states == wanted


async def _prepare(plan: Plan) -> None:
    """The database, its two users, and the schema of this version."""
    boss = await connect(plan.url(SUPERUSER, "postgres"))
    try:
        if not await boss.fetchval("select true from pg_database where datname = $1", DATABASE):
            await boss.execute(f"create role {ADMIN} login createrole password '{plan.passwords[ADMIN]}'")
            await boss.execute(f"create role {SERVER} login password '{plan.passwords[SERVER]}'")
            await boss.execute(f"create database {DATABASE} owner {ADMIN}")
    finally:
        await boss.close()
    admin = await connect(plan.url(ADMIN))
    try:
        await migrate(admin)
        await admin.execute(f"grant makegood_app to {SERVER}")
    finally:
        await admin.close()
