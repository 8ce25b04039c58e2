"""`makegood serve`: the server, until it is told to stop."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

import click
import msgspec

from makegood.cli.output import json_option, stderr
from makegood.errors import MakegoodError
from makegood.settings import Settings, load_settings
from makegood.telemetry import log
from makegood.web.app import create_app
from makegood.web.server import Server
from makegood.web.state import Shared


@click.command("serve")
@click.option("--database", help="PostgreSQL URL; without one an embedded PostgreSQL is used.")
@click.option("--data", type=click.Path(file_okay=False), help="Folder of the embedded PostgreSQL.")
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that answer; one that dies is started again.")
@click.option("--demo", is_flag=True, help="Make a test house with sample campaigns and show its keys, once.")
@json_option
def command(
    database: str | None,
    data: str | None,
    host: str | None,
    port: int | None,
    workers: int | None,
    demo: bool,
    as_json: bool,
) -> None:
    """Run the server: API, console and health.

    It answers while PostgreSQL is away, too: payments then pay the full price. Ctrl-C lets running calls end.
    """
    settings = load_settings(database=database, data=data, host=host, port=port, workers=workers)
    serve(settings, demo=demo, as_json=as_json)


def serve(settings: Settings, *, demo: bool = False, as_json: bool = False) -> None:
    """Serve until told to stop. Where it listens is said on stdout once it answers."""
    from makegood.cli.workers import run_workers

    def ready(address: str) -> None:
        words = f"Makegood listens on {address}; its console is {address}/console"
        _say({"address": address}, words, as_json=as_json)

    with _listen(settings) as listening:
        try:
            if settings.workers == 1:
                run_server(settings, listening, ready, demo=demo, as_json=as_json)
            else:
                run_workers(settings, listening, ready, demo=demo, as_json=as_json)
        except KeyboardInterrupt:
            stderr.print("stopped")


def run_server(
    settings: Settings,
    listening: socket.socket,
    on_ready: Callable[[str], None],
    *,
    demo: bool,
    as_json: bool,
    on_made: Callable[[Server], None] = lambda _: None,
) -> None:
    """Serve in this process, on a socket that listens, until told to stop. `on_made` is given the server at once."""
    # While the store is away the pool logs a traceback a second; our own log says it in a line.
    logging.getLogger("asyncpg.pool").setLevel(logging.CRITICAL)
    app = create_app(settings)
    tasks: set[asyncio.Task[None]] = set()

    def ready(address: str) -> None:
        on_ready(address)
        if demo:
            tasks.add(asyncio.create_task(_seed(app.state.shared, as_json=as_json)))

    server = Server(app, settings.host, settings.port, on_ready=ready)
    on_made(server)
    server.run(sockets=[listening])


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        reason = error.strerror or str(error)
        raise click.ClickException(f"cannot listen on {settings.host} port {settings.port}: {reason}") from error


async def _seed(shared: Shared, *, as_json: bool) -> None:
    from makegood.demo.seed import seed_demo

    await shared.opened.wait()
    assert shared.platform is not None
    try:
        keys = await seed_demo(shared.platform)
    except Exception as error:
        # The server itself is fine and goes on; what failed is in the log.
        log.error("demo_was_not_made", exc_info=None if isinstance(error, MakegoodError) else error)
        stderr.print(f"the demo house was not made: {error}", markup=False)
        return
    if as_json:
        _say({"keys": [{"principal": principal, "key": key} for principal, key in keys]}, "", as_json=True)
        return
    for principal, key in keys:
        _say({}, f"key of {principal}, shown once: {key}", as_json=False)


def _say(value: dict[str, Any], words: str, *, as_json: bool) -> None:
    click.echo(msgspec.json.encode(value).decode() if as_json else words)
