"""What tests of several folders share: hypothesis profiles, one real PostgreSQL, a fresh house a test."""

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio
import structlog
from hypothesis import HealthCheck, settings
from tests.shop import Shop, open_shop, open_spring_shop

from makegood.services.access import House, create_house
from makegood.services.platform import Platform, close_platform, open_platform
from makegood.settings import Settings

settings.register_profile(
    "default", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def _silent(*_: object) -> NoReturn:
    raise structlog.DropEvent


# Tests provoke what is logged; `structlog.testing.capture_logs` shows it to those that ask.
structlog.configure(processors=[_silent])


@pytest.fixture(scope="session")
def data() -> Iterator[Path]:
    """A folder for an embedded PostgreSQL: short, so that its socket's path fits, and open to its own user."""
    folder = Path(tempfile.mkdtemp(prefix="mg"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session")
async def platform(data: Path) -> AsyncIterator[Platform]:
    """A platform on a real PostgreSQL, shared by the run. The deadline is long: tests of deadlines bring their own."""
    opened = await open_platform(Settings(data=str(data), deadline_ms=10_000, pool_size=20))
    yield opened
    await close_platform(opened)


@pytest_asyncio.fixture
async def house(platform: Platform) -> House:
    """A test house nobody else uses."""
    return await create_house(platform, f"house-{secrets.token_hex(6)}", live=False)


@pytest_asyncio.fixture
async def shop(platform: Platform) -> Shop:
    """A house with a policy in force, its principals, and no campaign."""
    return await open_shop(platform)


@pytest_asyncio.fixture
async def spring(platform: Platform) -> Shop:
    """The same with the example campaign live."""
    return await open_spring_shop(platform)
