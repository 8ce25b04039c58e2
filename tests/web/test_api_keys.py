"""The memory of checked keys: it saves a question a payment, and answers while the store is away."""

import asyncio

import pytest

from makegood.errors import Problem, ProblemCode, StoreUnavailable
from makegood.limits import KEY_FRESH_SECONDS, KEY_RECHECK_MS, KEY_STALE_SECONDS_MAX, KEYS_CACHED_MAX
from makegood.web.keys import KeyCache


class Desk:
    """Checks keys, counts, and can be told to be away, slow or to say no. `now` is the cache's clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.mood = "yes"
        self.cache: KeyCache[str] = KeyCache(lambda: self.now)

    async def check(self, key: str) -> str:
        self.asked += 1
        if self.mood == "no":
            raise Problem(ProblemCode.KEY_IS_WRONG, "no")
        if self.mood == "away":
            raise StoreUnavailable("away")
        if self.mood == "slow":
            await asyncio.sleep(KEY_RECHECK_MS / 1000 * 3)
        return key.upper()

    async def caller(self, key: str = "k") -> str:
        return await self.cache.caller(key, self.check)


async def test_a_fresh_key_is_not_asked_about_again() -> None:
    desk = Desk()
    assert await desk.caller() == await desk.caller() == "K"
    assert desk.asked == 1


async def test_an_older_key_is_asked_about_again() -> None:
    desk = Desk()
    await desk.caller()
    desk.now += KEY_FRESH_SECONDS
    await desk.caller()
    assert desk.asked == 2


async def test_a_revoked_key_is_forgotten_at_its_next_check() -> None:
    desk = Desk()
    await desk.caller()
    desk.now += KEY_FRESH_SECONDS
    desk.mood = "no"
    with pytest.raises(Problem):
        await desk.caller()
    desk.mood = "away"
    with pytest.raises(StoreUnavailable):
        await desk.caller()


async def test_a_known_key_is_known_while_the_store_is_away() -> None:
    desk = Desk()
    await desk.caller()
    desk.now += KEY_STALE_SECONDS_MAX - 1
    desk.mood = "away"
    assert await desk.caller() == "K"


async def test_a_known_key_is_not_known_for_ever() -> None:
    desk = Desk()
    await desk.caller()
    desk.now += KEY_STALE_SECONDS_MAX + 1
    desk.mood = "away"
    with pytest.raises(StoreUnavailable):
        await desk.caller()


async def test_an_unknown_key_cannot_be_known_while_the_store_is_away() -> None:
    desk = Desk()
    desk.mood = "away"
    with pytest.raises(StoreUnavailable):
        await desk.caller()


async def test_a_slow_store_delays_a_known_key_by_no_more_than_its_bound_and_is_asked_once() -> None:
    desk = Desk()
    await desk.caller()
    desk.now += KEY_FRESH_SECONDS
    desk.mood = "slow"
    started = asyncio.get_running_loop().time()
    assert set(await asyncio.gather(desk.caller(), desk.caller(), desk.caller())) == {"K"}
    assert asyncio.get_running_loop().time() - started < KEY_RECHECK_MS / 1000 * 2.5
    assert desk.asked == 2


async def test_the_memory_is_bounded() -> None:
    desk = Desk()
    for number in range(KEYS_CACHED_MAX + 5):
        await desk.caller(f"k{number}")
    asked = desk.asked
    await desk.caller(f"k{KEYS_CACHED_MAX}")
    assert desk.asked == asked
    await desk.caller("k0")
    assert desk.asked == asked + 1
