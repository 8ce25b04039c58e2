"""The split in SQL is the split in Python; so are the shares read from a document's bytes."""

import json
import random

from tests.shop import example, open_shop

from makegood.clock import system_clock
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.domain.settlement import funding_of
from makegood.limits import FUNDERS_PER_CAMPAIGN_MAX, MONEY_MINOR_MAX
from makegood.money import split
from makegood.services.platform import Platform
from makegood.store.pool import in_house

CASES = 3_000


def _case(chance: random.Random) -> tuple[int, list[int]]:
    weights = [
        chance.choice([0, 1, 3_333, 3_334, chance.randrange(10_001)])
        for _ in range(chance.randint(1, FUNDERS_PER_CAMPAIGN_MAX))
    ]
    weights[chance.randrange(len(weights))] += 1
    return chance.choice([0, 1, 2, chance.randrange(1_000), chance.randrange(MONEY_MINOR_MAX + 1)]), weights


async def test_both_splits_are_the_same(platform: Platform) -> None:
    chance = random.Random(20270201)
    cases = [_case(chance) for _ in range(CASES)] + [(MONEY_MINOR_MAX, [10_000] * 20)]
    async with in_house(platform.store.pool, 0) as connection:
        rows = await connection.fetch(
            """select (c ->> 0)::bigint as total, s.weights, split_total((c ->> 0)::bigint, s.weights) as parts
               from jsonb_array_elements($1::jsonb) c
               cross join lateral (select array_agg(w::bigint order by n) as weights
                   from jsonb_array_elements_text(c -> 1) with ordinality as t (w, n)) s""",
            cases,
        )
    assert len(rows) == len(cases)
    for row in rows:
        assert tuple(row["parts"]) == split(row["total"], row["weights"]), (row["total"], row["weights"])


async def test_shares_are_read_alike_from_a_document(platform: Platform) -> None:
    shop = await open_shop(platform)
    await shop.publish("otto", example("brief-spring.yaml"))
    published = (await shop.publish("mara", example("campaign-spring.yaml")))[-1]
    policy = Source("policy.yaml", example("policy.yaml").encode())
    bundle = read_documents(
        [policy, Source("campaign.yaml", example("campaign-spring.yaml").encode())], now=system_clock()
    )
    campaign = bundle.campaigns[0].campaign
    assert campaign is not None
    funding = funding_of(campaign.funding)
    owner = await platform.store.administrator()
    try:
        async with in_house(owner, shop.house.id) as connection:
            row = await connection.fetchrow("select * from shares_of($1, $2)", shop.house.id, published.revision)
    finally:
        await owner.close()
    assert (tuple(row["funders"]), tuple(row["weights"])) == (funding.funders, funding.weights), json.dumps(dict(row))
