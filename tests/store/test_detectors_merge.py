"""What processes saw of a campaign adds up in the store, and outlives each of them."""

from tests.shop import example, open_shop

from makegood.domain.review import Guard
from makegood.domain.target import Target, TargetKind
from makegood.services.control import resume, stop
from makegood.services.platform import Platform
from makegood.services.quotes import quote
from makegood.services.rounds import guard_round
from makegood.store import guards
from makegood.store.pool import in_house
from makegood.store.verify import verify

_EACH = 4  # Grants that one process sees: too few for its own detector.


async def test_a_leak_of_which_no_process_lives_to_see_enough_is_stopped_in_the_store(platform: Platform) -> None:
    shop = await open_shop(platform, guards_left_out=())
    await shop.launch(example("campaign-spring.yaml"), example("brief-spring.yaml"))
    granted = []
    for _ in range(6):
        process = shop.elsewhere()  # It begins with nothing but what the store knows, and is gone after a round.
        for _ in range(_EACH):
            answer = await quote(process.platform, process.callers["till"], process.payment())
            granted.append(answer["discount_minor"] > 0)
        await guard_round(process.platform)
        assert sum(granted[-_EACH:]) in (0, _EACH)
    assert granted[: 2 * _EACH] == [True] * 2 * _EACH and not any(granted[-_EACH:])
    async with in_house(shop.platform.store.pool, shop.house.id) as connection:
        (event,) = await connection.fetch("select data from outbox where type = 'breaker.opened'")
    told = event["data"]
    assert (told["guard"], told["what"], told["evidence"]["grant"]) == ("detector", "share", None)
    assert told["evidence"]["grants"] > _EACH and told["evidence"]["statistic"] >= told["evidence"]["threshold"]
    assert (await verify(shop.platform.store.pool, shop.house.id)).violations == ()


async def test_what_was_held_against_a_campaign_is_gone_once_a_wider_stop_is_resumed(platform: Platform) -> None:
    shop = await open_shop(platform, guards_left_out=[Guard.PROOF])
    await shop.launch(example("campaign-spring.yaml"), example("brief-spring.yaml"))
    for _ in range(_EACH):
        await quote(shop.platform, shop.callers["till"], shop.payment())
    await guard_round(shop.platform)
    pool, house = shop.platform.store.pool, shop.house.id
    _, known = await guards.detector(pool, house)
    assert known is not None and set(known["campaigns"]) == {"spring-qr-2027"}
    label = Target(TargetKind.LABEL, "merchant_coupon")
    await stop(shop.platform, shop.callers["olga"], label, "to be sure")
    for who in ("olga", "omar"):
        await resume(shop.platform, shop.callers[who], label, "looked at")
    _, known = await guards.detector(pool, house)
    assert known is not None and known["campaigns"] == {}
    assert (await quote(shop.platform, shop.callers["till"], shop.payment()))["discount_minor"] > 0
