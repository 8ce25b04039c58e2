"""Network namespaces: a store, nodes, and a router between them that can be told to drop packets.

```
store 10.77.0.2 --- router --- 10.77.1.2 node 1
                       |------ 10.77.2.2 node 2 ...
```
Whoever is in a namespace sees no other network, so nothing here touches that of the machine.
"""

import ctypes
import itertools
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_numbers = itertools.count(1)

_NETWORK = 0x40000000  # CLONE_NEWNET


class Cut(StrEnum):
    """What the router drops of a node's traffic with the store."""

    EVERYTHING = "everything"
    QUESTIONS = "what the node sends"
    ANSWERS = "what the store sends"


def why_not() -> str | None:
    """Why this machine has no network namespaces for us; None where it has."""
    if os.geteuid() != 0:
        return "network namespaces are made by root"
    if shutil.which("ip") is None:
        return "there is no `ip` here: install iproute2"
    try:
        with network(1) as net:
            net.cut(1, Cut.EVERYTHING)
    except subprocess.CalledProcessError as error:
        return f"`{' '.join(error.cmd)}` says: {error.stderr.strip()}"
    return None


class Network:
    """The namespaces by name."""

    def __init__(self, nodes: int) -> None:
        mark = f"mg{os.getpid()}-{next(_numbers)}"  # One process may have several at a time.
        self.router, self.store = f"{mark}-router", f"{mark}-store"
        self.nodes = {number: f"{mark}-node{number}" for number in range(1, nodes + 1)}

    @property
    def all(self) -> list[str]:
        """Every namespace."""
        return [self.router, self.store, *self.nodes.values()]

    def build(self) -> None:
        """Everybody reaches everybody."""
        for name in self.all:
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        inside(self.router, lambda: Path("/proc/sys/net/ipv4/ip_forward").write_text("1"))
        for number, name in enumerate([self.store, *self.nodes.values()]):
            self._join(number, name)

    def _join(self, number: int, name: str) -> None:
        _ip("link", "add", "eth0", "netns", name, "type", "veth", "peer", "name", f"to{number}", "netns", self.router)
        _ip("-n", name, "addr", "add", f"{_address(number)}/24", "dev", "eth0")
        _ip("-n", self.router, "addr", "add", f"10.77.{number}.1/24", "dev", f"to{number}")
        _ip("-n", self.router, "link", "set", f"to{number}", "up")
        _ip("-n", name, "link", "set", "eth0", "up")
        _ip("-n", name, "route", "add", "default", "via", f"10.77.{number}.1")

    def cut(self, node: int, what: Cut) -> None:
        """From now on the router drops this, without a word to either side."""
        self._rules("add", node, what)

    def mend(self, node: int, what: Cut) -> None:
        """Packets flow again."""
        self._rules("del", node, what)

    def _rules(self, verb: str, node: int, what: Cut) -> None:
        if what is not Cut.ANSWERS:
            _ip("-n", self.router, "rule", verb, "blackhole", "iif", f"to{node}", "to", _address(0))
        if what is not Cut.QUESTIONS:
            _ip("-n", self.router, "rule", verb, "blackhole", "iif", "to0", "to", _address(node))

    def remove(self) -> None:
        """No namespace is left. Processes inside have to be gone."""
        for name in self.all:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _address(number: int) -> str:
    return f"10.77.{number}.2"


STORE = _address(0)


@contextmanager
def network(nodes: int) -> Iterator[Network]:
    """A store's namespace and so many nodes', joined by a router; removed afterwards."""
    net = Network(nodes)
    try:
        net.build()
        yield net
    finally:
        net.remove()


def inside(name: str, work: Callable[[], T]) -> T:
    """What `work` returns when a thread in that namespace does it. Its sockets and its children stay there."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            _enter(name)
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


def _enter(name: str) -> None:
    handle = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, _NETWORK) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {name}")
    finally:
        os.close(handle)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, check=True, text=True)
