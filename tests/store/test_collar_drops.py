"""The collar in the payment call, on a real store: a campaign that no proof looked at grants what its brief forbids."""

import pytest
from tests.shop import Shop, example, open_shop

from makegood.domain.review import Guard
from makegood.services.platform import Platform
from makegood.services.quotes import quote
from makegood.services.rounds import guard_round
from makegood.store.pool import in_house
from makegood.store.verify import verify

SLIPS = [
    ('rate: "20%", up_to: "50.00', 'rate: "20%", up_to: "60.00', {"amount": 30_000}, "discount_is_above_max"),
    ('rate: "20%"', 'rate: "21%"', {}, "rate_is_above_max"),
    ('payment.scene == "in_store_qr"', 'payment.scene == "rent"', {"scene": "rent"}, "scene_is_not_in_brief"),
    ("payment.amount >= 10000", "payment.amount >= 1", {"amount": 9_999}, "amount_is_below_spend_min"),
    ("label: merchant_coupon", "label: platform_gift", {}, "label_differs"),
    (
        '"70%"}, {funder: merchant-lin, share: "30%"',
        '"30%"}, {funder: merchant-lin, share: "70%"',
        {},
        "funders_differ",
    ),
]


async def open_slipped(platform: Platform, right: str, slip: str) -> Shop:
    """The spring campaign with a slip, live in a house that has the collar and no other guard."""
    policy = example("policy.yaml").replace(", owner: platform}", "}")  # A label that needs nobody's signature.
    shop = await open_shop(platform, guards_left_out=(Guard.PROOF, Guard.DETECTOR), policy=policy)
    text = example("campaign-spring.yaml")
    assert right in text
    await shop.launch(text.replace(right, slip), example("brief-spring.yaml"))
    return shop


@pytest.mark.parametrize(("right", "slip", "payment", "because"), SLIPS, ids=[one[-1] for one in SLIPS])
async def test_a_wrong_discount_is_dropped_the_payment_goes_on_and_the_breaker_opens_with_its_evidence(
    platform: Platform, right: str, slip: str, payment: dict[str, object], because: str
) -> None:
    shop = await open_slipped(platform, right, slip)
    paid = shop.payment(**payment)
    answer = await quote(shop.platform, shop.callers["till"], paid)
    assert (answer["discount_minor"], answer["to_pay_minor"], answer["decided"]) == (0, paid["amount"], True)
    await guard_round(shop.platform)
    other = shop.elsewhere()
    later = await quote(other.platform, other.callers["till"], shop.payment())
    assert (later["discount_minor"], later["decided"]) == (0, True)
    async with in_house(shop.platform.store.pool, shop.house.id) as connection:
        (event,) = await connection.fetch("select subject, data from outbox where type = 'breaker.opened'")
        assert await connection.fetchval("select count(*) from quotes") == 0
    told, evidence = event["data"], event["data"]["evidence"]
    assert (event["subject"], told["guard"], told["what"]) == ("spring-qr-2027", "collar", because)
    assert evidence["seen"] != evidence["allowed"] and set(evidence["words"]) == {"en", "zh-CN"}
    assert (evidence["payment"]["payment_id"], evidence["payment"]["amount"]) == (paid["payment_id"], paid["amount"])
    assert (await verify(shop.platform.store.pool, shop.house.id)).violations == ()
