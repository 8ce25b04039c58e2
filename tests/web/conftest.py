"""Servers for the tests of the API and the console."""

from collections.abc import Iterator

import httpx
import pytest

from tests.web.running import Running, data_folder, make_house, publish, running


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """A running server with the test house `shop`, its people's keys, and the example campaign approved."""
    with data_folder() as data, running(data, deadline_ms=5_000) as made:
        made.keys = make_house(made, "shop")
        publish(made, made.keys)
        yield made


@pytest.fixture
def api(server: Running) -> Iterator[httpx.Client]:
    """A client with a key that may quote."""
    with server.client("checkout") as client:
        yield client
