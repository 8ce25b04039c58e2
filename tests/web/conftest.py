"""Servers for the tests of the API and the console."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser
from tests.web.browsing import Visitor, launched, visiting
from tests.web.running import Running, make_house, publish, running


@pytest.fixture(scope="session")
def server(data: Path) -> Iterator[Running]:
    """A running server with the test house `shop`, its people's keys, and the example campaign approved."""
    with running(data, deadline_ms=5_000) as made:
        made.keys = make_house(made, "shop")
        publish(made, made.keys)
        yield made


@pytest.fixture
def api(server: Running) -> Iterator[httpx.Client]:
    """A client with a key that may quote."""
    with server.client("checkout") as client:
        yield client


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, once for all tests."""
    async with launched() as made:
        yield made


@pytest.fixture
async def visitor(browser: Browser, server: Running) -> AsyncIterator[Visitor]:
    """A visitor with a fresh profile; nothing that it was shown broke the content security policy."""
    async with visiting(browser, server) as made:
        yield made
        assert made.violations() == []
