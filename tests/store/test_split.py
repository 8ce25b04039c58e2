"""An operator splits a budget; quotes go on from every share."""

from dataclasses import replace

import pytest
from tests.shop import open_spring_shop

from makegood.errors import Problem, ProblemCode
from makegood.services import control, quotes
from makegood.services.platform import Platform
from makegood.store.ledger import Ledger
from makegood.store.verify import verify

ID = "spring-qr-2027"


async def test_payments_of_several_lanes_are_granted_from_a_split_budget(platform: Platform) -> None:
    shop = await open_spring_shop(platform, **{'  per_day: "100000.00 CNY"\n': ""})
    await control.split_budget(platform, shop.callers["olga"], ID, 3)
    granted = 0
    for lane in range(4):  # The first stage is 1,000.00 CNY and a grant 40.00: lane 0 and 3 are one share.
        store = replace(platform.store, ledger=Ledger(platform.store.pool, lane))
        one = replace(platform, store=store)
        answers = await quotes.quote_batch(one, shop.callers["till"], [shop.payment() for _ in range(9)])
        granted += sum(answer["discount_minor"] for answer in answers if isinstance(answer, dict))
    assert granted == 100_000  # To the last minor unit, though no share had so much.
    await control.split_budget(platform, shop.callers["olga"], ID, 1)
    assert (await verify(platform.store.pool, shop.house.id)).violations == ()


async def test_a_budget_whose_day_counts_all_payers_is_not_split(platform: Platform) -> None:
    shop = await open_spring_shop(platform)
    with pytest.raises(Problem) as raised:
        await control.split_budget(platform, shop.callers["olga"], ID, 3)
    assert raised.value.code is ProblemCode.STATE_FORBIDS
    with pytest.raises(Problem) as raised:
        await control.split_budget(platform, shop.callers["till"], ID, 3)
    assert raised.value.code is ProblemCode.SCOPE_IS_MISSING
