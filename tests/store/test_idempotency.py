"""A claim on an idempotency key: whoever lost it changes nothing any more, and old answers go."""

from typing import Any

from makegood.services.access import House
from makegood.services.platform import Platform
from makegood.store import idempotency
from makegood.store.idempotency import Claim
from makegood.store.pool import in_house


async def _claim(platform: Platform, house: House) -> Any:
    return await idempotency.claim(platform.store.pool, house.id, "ann", "k1", b"content")


async def _grow_older(platform: Platform, house: House, seconds: int) -> None:
    async with in_house(platform.store.pool, house.id) as connection:
        await connection.execute(
            "update idempotency_keys set created_at = created_at - make_interval(secs => $1)", seconds
        )


async def _taken_over(platform: Platform, house: House) -> tuple[Claim, Claim]:
    late = await _claim(platform, house)
    await _grow_older(platform, house, idempotency.ABANDONED_SECONDS + 1)
    heir = await _claim(platform, house)
    assert isinstance(late, Claim) and isinstance(heir, Claim)
    return late, heir


async def test_a_late_failure_does_not_free_the_key_of_who_took_it_over(platform: Platform, house: House) -> None:
    late, _ = await _taken_over(platform, house)
    await idempotency.forget(platform.store.pool, house.id, late)
    assert (await _claim(platform, house))["status"] is None


async def test_a_late_answer_does_not_replace_the_answer_of_who_took_it_over(platform: Platform, house: House) -> None:
    late, heir = await _taken_over(platform, house)
    await idempotency.keep(platform.store.pool, house.id, late, 500, "late")
    assert (await _claim(platform, house))["body"] is None
    await idempotency.keep(platform.store.pool, house.id, heir, 201, "heir")
    await idempotency.keep(platform.store.pool, house.id, late, 500, "late")
    await idempotency.forget(platform.store.pool, house.id, heir)
    assert (await _claim(platform, house))["body"] == "heir"


async def test_an_answer_is_dropped_after_a_day_and_not_before(platform: Platform, house: House) -> None:
    claim = await _claim(platform, house)
    await idempotency.keep(platform.store.pool, house.id, claim, 200, "done")
    await _grow_older(platform, house, idempotency.KEPT_HOURS * 3600 - 60)
    assert await idempotency.purge(platform.store.pool, house.id) == 0
    await _grow_older(platform, house, 120)
    assert await idempotency.purge(platform.store.pool, house.id) == 1
    assert isinstance(await _claim(platform, house), Claim)


async def test_a_session_is_dropped_a_day_after_its_end(platform: Platform, house: House) -> None:
    from makegood.domain.review import Scope
    from makegood.services.access import create_key, open_session, session_caller

    key = await create_key(platform, house.name, "ann", [Scope.READ])
    ended, standing = await open_session(platform, key.key), await open_session(platform, key.key)
    assert ended.token != standing.token
    owner = await platform.store.administrator()
    try:
        async with in_house(owner, house.id) as connection:
            await connection.execute(
                "update sessions set expires_at = now() - interval '25 hours' where csrf = $1", ended.csrf
            )
    finally:
        await owner.close()
    assert await idempotency.purge(platform.store.pool, house.id) == 1
    assert (await session_caller(platform, standing.token)).caller.principal == "ann"
