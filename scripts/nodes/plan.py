"""What a cluster on loopback consists of: folders, ports and passwords, kept in one file so that it can start again."""

import json
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

DATABASE = "makegood"
SUPERUSER = "postgres"
ADMIN = "makegood_admin"  # Makes houses and keys; may bring the schema to a version.
SERVER = "makegood_server"  # What `makegood serve` logs in as.
USERS = (SUPERUSER, "replicator", "rewind", "patroni", ADMIN, SERVER)
FILE = "plan.json"


@dataclass(frozen=True, slots=True)
class Node:
    """One Patroni and its PostgreSQL."""

    name: str
    port: int  # PostgreSQL's
    rest: int  # Patroni's REST API


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that two starts of one cluster have in common."""

    folder: Path
    etcd: int  # Port for clients
    peers: int  # Port for other members of etcd, of which there are none here
    nodes: tuple[Node, ...]
    passwords: Mapping[str, str]

    def home(self, node: Node) -> Path:
        """The folder of a node: its configuration, its log and its data."""
        return self.folder / node.name

    def data(self, node: Node) -> Path:
        """The data folder of a node's PostgreSQL."""
        return self.home(node) / "postgres"

    def url(self, user: str, database: str = DATABASE) -> str:
        """The URL of whichever node is the primary, in the form that libpq and asyncpg read."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://{user}:{quote(self.passwords[user])}@{hosts}/{database}?target_session_attrs=read-write"


def plan_of(folder: Path, count: int) -> Plan:
    """The plan that is kept in a folder, or a new one with `count` nodes on free ports."""
    kept = folder / FILE
    if kept.exists():
        return _read(folder, json.loads(kept.read_text(encoding="utf-8")))
    ports = iter(_free_ports(2 + 2 * count))
    plan = Plan(
        folder,
        next(ports),
        next(ports),
        tuple(Node(f"node{number}", next(ports), next(ports)) for number in range(1, count + 1)),
        {user: secrets.token_urlsafe(24) for user in USERS},
    )
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(asdict(plan) | {"folder": None}, indent=1) + "\n", encoding="utf-8")
    return plan


def _read(folder: Path, kept: dict[str, object]) -> Plan:
    nodes = tuple(Node(**node) for node in kept["nodes"])  # type: ignore[attr-defined]
    return Plan(folder, kept["etcd"], kept["peers"], nodes, kept["passwords"])  # type: ignore[arg-type]


def _free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses now. All are held at once, so that they differ."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(one.getsockname()[1]) for one in held]
    finally:
        for one in held:
            one.close()
