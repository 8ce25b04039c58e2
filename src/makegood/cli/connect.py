"""Commands that speak to the store: their options, and one way to run them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click

from makegood.clock import system_clock
from makegood.errors import Problem, ProblemCode
from makegood.services.access import Caller, authenticate
from makegood.services.platform import Platform, close_platform, open_platform
from makegood.settings import Settings, load_settings

T = TypeVar("T")


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where the store is; without either, the embedded PostgreSQL in the default folder."""
    command = click.option("--database", metavar="URL", help="PostgreSQL to use instead of the embedded one.")(command)
    return click.option("--data", metavar="DIR", help="Folder of the embedded PostgreSQL.")(command)


def key_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Who acts."""
    return click.option("--key", metavar="KEY", help="Key to act with; MAKEGOOD_KEY or MAKEGOOD_KEY_FILE otherwise.")(
        command
    )


def with_platform(settings: Settings, work: Callable[[Platform], Awaitable[T]]) -> T:
    """The result of `work` with the store open; it is closed afterwards."""

    async def run() -> T:
        platform = await open_platform(settings, clock=system_clock)
        try:
            return await work(platform)
        finally:
            await close_platform(platform)

    return asyncio.run(run())


def as_caller(
    database: str | None, data: str | None, key: str | None, work: Callable[[Platform, Caller], Awaitable[T]]
) -> T:
    """The result of `work` done by whoever the key belongs to. Raises Problem without a key."""
    settings = load_settings(database=database, data=data, key=key)

    async def run(platform: Platform) -> T:
        if settings.key is None:
            raise Problem(
                ProblemCode.KEY_IS_MISSING,
                "this needs a key",
                hint="give --key, or set MAKEGOOD_KEY or MAKEGOOD_KEY_FILE",
            )
        return await work(platform, await authenticate(platform, settings.key))

    return with_platform(settings, run)
