"""One of several server processes: `python -m makegood.cli.worker`, started by `makegood.cli.workers`.

What it needs comes on standard input, for settings hold secrets that no list of processes may show. It stops in order
when it is told by SIGTERM, and when standard input ends: then whoever started it is gone, however it died.
"""

import os
import socket
import sys
import threading

import msgspec

from makegood.cli.serve import run_server
from makegood.settings import Settings
from makegood.telemetry import configure_logging
from makegood.web.server import Server

MODULE = "makegood.cli.worker"


class Orders(msgspec.Struct, frozen=True):
    """What a worker is told: file descriptors that it inherits, and whether the demo is its to make."""

    settings: Settings
    listening: int
    ready: int
    demo: bool
    as_json: bool


def main() -> None:
    """Serve as told on standard input. One byte on the descriptor `ready` says that it answers."""
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    configure_logging(orders.settings.log_level)
    with socket.socket(fileno=orders.listening) as listening:
        run_server(
            orders.settings,
            listening,
            lambda _: _tell(orders.ready),
            demo=orders.demo,
            as_json=orders.as_json,
            on_made=_stop_with_the_input,
        )


def _tell(ready: int) -> None:
    os.write(ready, b"!")
    os.close(ready)


def _stop_with_the_input(server: Server) -> None:
    def watch() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main()
