"""A server whose own wall clock is two days ahead: whatever of ours asks for the time is told so.

Run as a program, with settings as JSON in its argument.
"""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

import makegood.clock
from makegood.clock import Instant
from makegood.settings import Settings

T = TypeVar("T", float, int)

AHEAD_SECONDS = 2 * 86_400


def _ahead(clock: Callable[[], T], by: T) -> Callable[[], T]:
    return lambda: clock() + by


def main() -> None:
    """Serve until standard input ends."""
    right = makegood.clock.system_clock
    makegood.clock.system_clock = lambda: Instant(right().plus(AHEAD_SECONDS))
    time.time = _ahead(time.time, AHEAD_SECONDS)
    time.time_ns = _ahead(time.time_ns, AHEAD_SECONDS * 10**9)
    # Only now: these modules take the clock with them when they are read.
    from makegood.demo.server import serve
    from makegood.web.app import create_app

    settings = Settings(**msgspec.json.decode(sys.argv[1]))
    serve(settings, create_app(settings))


if __name__ == "__main__":
    main()
