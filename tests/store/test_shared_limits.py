"""Limits across campaigns: the store counts together what campaigns grant by themselves."""

import asyncio
from typing import Any

import pytest_asyncio
from tests.shop import Shop, example, open_shop

from makegood.domain.review import Guard
from makegood.services import holds, quotes
from makegood.services.platform import Platform
from makegood.store.verify import verify

PAYER_DAY = '{id: payer-day, labels: [merchant_coupon], per_payer: {per_day: {count: 3, amount: "90.00 CNY"}}}'


async def two_campaigns(platform: Platform, *limits: str, own: str = "900.00 CNY") -> Shop:
    """A house in which every payment of 200.00 CNY gets 40.00 CNY from `spring-qr-2027` and again from `twin`."""
    shop = await open_shop(platform, policy=policy(*limits), guards_left_out=[Guard.PROOF])
    campaign, brief = example("campaign-spring.yaml"), example("brief-spring.yaml")
    before, after = "per_day: {count: 1}", "per_day: {count: 9}"
    assert before in campaign
    campaign = campaign.replace(before, after).replace('amount: "100.00 CNY"', f'amount: "{own}"')
    campaign = campaign.replace("count: 3", "count: 9")
    await shop.launch(campaign, brief)
    twin = (
        campaign.replace("spring-qr-2027", "twin")
        .replace("group: ", "group: twin-")
        .replace("priority: 100", "priority: 9")
    )
    await shop.launch(twin, brief.replace("spring-qr-2027", "twin"))
    return shop


def policy(*limits: str) -> str:
    entries = "".join(f"  - {limit}\n" for limit in limits)
    return example("policy.yaml") + (f"limits:\n{entries}" if limits else "")


@pytest_asyncio.fixture
async def shared(platform: Platform) -> Shop:
    """Two campaigns under one limit on each payer and day."""
    return await two_campaigns(platform, PAYER_DAY)


async def ask(shop: Shop, **changes: Any) -> dict[str, Any]:
    return await quotes.quote(shop.platform, shop.callers["till"], shop.payment(**changes))


def granted(answer: dict[str, Any]) -> dict[str, int]:
    return {one["campaign"]: one["discount_minor"] for one in answer["benefits"]}


async def assert_balanced(shop: Shop) -> None:
    assert (await verify(shop.platform.store.pool, shop.house.id)).violations == ()


async def test_campaigns_grant_a_payer_together_what_the_policy_allows(shared: Shop) -> None:
    assert granted(await ask(shared, payer_id="ping")) == {"spring-qr-2027": 4_000, "twin": 4_000}
    refused = await ask(shared, payer_id="ping", explain=True)
    assert granted(refused) == {}
    assert {one["refusal"] for one in refused["explanation"]} == {"payer_limit_is_reached"}
    assert granted(await ask(shared, payer_id="ping", occurred_at="2027-02-02T12:00:00+08:00")) != {}
    assert granted(await ask(shared, payer_id="pong")) != {}
    await assert_balanced(shared)


async def test_grants_of_one_payment_must_fit_together_and_the_higher_priority_wins(platform: Platform) -> None:
    shared = await two_campaigns(platform, PAYER_DAY, own="60.00 CNY")  # What is tried and void counts for nothing.
    await ask(shared, payer_id="ping", amount=10_000)  # 20.00 from each: 50.00 and one grant are left.
    answer = await ask(shared, payer_id="ping", explain=True)
    assert granted(answer) == {"spring-qr-2027": 4_000}
    told = {one["campaign"]: one["refusal"] for one in answer["explanation"]}
    assert told == {"spring-qr-2027": None, "twin": "payer_limit_is_reached"}
    await assert_balanced(shared)


async def test_a_preview_sees_what_other_campaigns_have_granted(shared: Shop) -> None:
    till = shared.callers["till"]
    await ask(shared, payer_id="ping", amount=10_000)
    seen = await quotes.preview(shared.platform, till, shared.payment(payer_id="ping"))
    assert granted(seen) == {"spring-qr-2027": 4_000}
    await ask(shared, payer_id="ping")
    assert granted(await quotes.preview(shared.platform, till, shared.payment(payer_id="ping"))) == {}


async def test_a_release_gives_a_shared_right_back(shared: Shop) -> None:
    first = await ask(shared, payer_id="ping")
    assert granted(await ask(shared, payer_id="ping")) == {}
    await holds.release(shared.platform, shared.callers["till"], first["quote_id"])
    assert granted(await ask(shared, payer_id="ping")) == granted(first)
    await assert_balanced(shared)


async def test_payments_at_once_do_not_exceed_a_limit_across_campaigns(platform: Platform) -> None:
    shop = await two_campaigns(platform, '{id: house-day, per_day: "300.00 CNY"}')
    answers = await asyncio.gather(*(ask(shop) for _ in range(8)))
    # 40.00 a grant: seven fit 300.00, whatever their order.
    assert sum(answer["discount_minor"] for answer in answers) == 7 * 4_000
    await assert_balanced(shop)


async def test_limits_of_two_currencies_do_not_meet_though_they_have_one_id(shared: Shop) -> None:
    published = (await shared.publish("rita", policy(PAYER_DAY).replace("CNY", "USD")))[0]
    await shared.approve(published.revision, "bob")
    campaign, brief = example("campaign-spring.yaml"), example("brief-spring.yaml")
    there, here = "spring-usd", "spring-qr-2027"
    await shared.launch(*(text.replace("CNY", "USD").replace(here, there) for text in (campaign, brief)))
    assert granted(await ask(shared, payer_id="ping")) == {here: 4_000, "twin": 4_000}
    assert granted(await ask(shared, payer_id="ping", currency="USD")) == {there: 4_000}
    published = (await shared.publish("rita", policy().replace("CNY", "USD")))[0]
    await shared.approve(published.revision, "bob")
    assert granted(await ask(shared, payer_id="ping")) == {}
    await assert_balanced(shared)


async def test_a_limit_that_is_new_counts_what_was_granted_before(platform: Platform) -> None:
    shop = await two_campaigns(platform)
    assert len(granted(await ask(shop, payer_id="ping"))) == 2
    published = (await shop.publish("rita", policy(PAYER_DAY)))[0]
    await shop.approve(published.revision, "bob")
    assert granted(await ask(shop, payer_id="ping")) == {}
    assert granted(await ask(shop, payer_id="pong")) != {}
    # Without it the payer gets something again.
    published = (await shop.publish("rita", policy()))[0]
    await shop.approve(published.revision, "bob")
    assert granted(await ask(shop, payer_id="ping")) != {}
    await assert_balanced(shop)
