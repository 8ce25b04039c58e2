"""The oracle and pricing grant the same: whatever limits leave out of a payment, and whatever is in its basket."""

from itertools import chain, combinations, islice, pairwise
from random import Random
from typing import Any

from tests.mutation.baskets import off_items
from tests.mutation.documents import Trio
from tests.mutation.granting import ceiling, discount_bounds, may_combine, plan_of
from tests.mutation.oracle import most_allowed
from tests.mutation.search import Search, json_ready
from tests.mutation.trios import draft

from makegood.domain.benefit import ItemBenefit
from makegood.domain.campaign import Campaign
from makegood.domain.payment import Payment, parse_payment
from makegood.domain.quote import Refusal
from makegood.engine.price import price
from makegood.engine.snapshot import Live, build_snapshot
from makegood.rules.environment import payment_environment


def test_what_the_oracle_calls_grantable_is_what_pricing_grants_when_limits_leave_some_out() -> None:
    compared = 0
    drafts = (draft(f"4:{number}") for number in range(150))
    for trio in (one for one in drafts if len(one.live) >= 2):
        assert trio.campaign is not None
        everyone = (trio.campaign, *trio.live)
        snapshot = build_snapshot(
            trio.policy, [Live(one, f"rev_{one.id}") for one in everyone], policy_revision="rev_0", secret=b"secret"
        )
        for fields in _payments(trio, trio.campaign):
            payment = parse_payment(fields, trio.policy.schema)
            granted = set()
            for left_out in _subsets([one.id for one in everyone]):
                refused = dict.fromkeys(left_out, Refusal.BUDGET_IS_EXHAUSTED)
                priced = price(payment, snapshot, {}, payment.occurred_at, excluded=refused)
                granted.add(frozenset((grant.campaign, grant.discount) for grant in priced.grants))
            expected = _grantable(trio, everyone, payment, granted)
            compared += len(expected) > 2
            assert granted == expected, (trio.seed, fields)
    assert compared > 20


def _grantable(
    trio: Trio, everyone: tuple[Campaign, ...], payment: Payment, granted: set[frozenset[tuple[str, int]]]
) -> set[frozenset[tuple[str, int]]]:
    """Every set that the oracle would try, a random benefit with the draw that pricing made, items as they are."""
    fields = payment.fields
    drawn = dict(chain.from_iterable(granted))
    offers = {}
    for one in everyone:
        bounds = discount_bounds(one, fields["amount"])
        if bounds is not None and plan_of(one, payment_environment(trio.policy.schema)).takes(fields):
            offers[one.id] = drawn.get(one.id, bounds[0])
            if isinstance(one.benefit, ItemBenefit):
                offers[one.id] = off_items(one.benefit, payment.items)
                if not 0 < offers[one.id] <= ceiling(one):
                    offers.pop(one.id)
                    continue
            assert bounds[0] <= offers[one.id] <= bounds[1]
    return {
        frozenset((one.id, offers[one.id]) for one in members)
        for members in _subsets([one for one in everyone if one.id in offers])
        if all(may_combine(left, right) for left, right in combinations(members, 2))
        and sum(offers[one.id] for one in members) <= fields["amount"]
    }


def _payments(trio: Trio, campaign: Campaign) -> list[dict[str, Any]]:
    """Some payments that the search would try, with a few amounts each."""
    search = Search(campaign, trio.brief, trio.policy, trio.live, most_allowed(campaign, trio.policy))
    cells = [dict(cell) for cell in islice(search._cells(dict(search.base), list(search.values)), 0, 60, 7)]
    amounts = [amount for part in search.segments for amount in part.tried[:: max(len(part.tried) // 3, 1)]]
    rng = Random(trio.seed)
    return [
        json_ready({**cell, "amount": amount}) | {"items": _items(rng, amount)}
        for cell in cells
        for amount in amounts[:12]
    ]


def _items(rng: Random, amount: int) -> list[dict[str, Any]]:
    """Lines of that amount together, of things that conditions name."""
    parts = sorted(rng.randint(0, amount) for _ in range(rng.randint(0, 3)))
    names, kinds = ("latte", "latte", "mocha", "bean-1", "voucher", "bread"), ("cakes", "drinks", "other")
    return [
        {
            "sku": rng.choice(names),
            "amount": past - before,
            "quantity": rng.choice([1, 1, 2]),
            "category": rng.choice(kinds),
        }
        for before, past in pairwise([0, *parts, amount])
    ]


def _subsets(every: list[Any]) -> Any:
    return chain.from_iterable(combinations(every, count) for count in range(len(every) + 1))
