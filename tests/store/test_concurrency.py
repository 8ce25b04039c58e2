"""Many clients at once: nothing overspent, nothing granted twice, every answer repeated; the books balance."""

import asyncio
import itertools
import random
from typing import Any

CLIENTS = 24


async def _all(calls: list[Any]) -> list[Any]:
    gate = asyncio.Semaphore(CLIENTS)

    async def one(call: Any) -> Any:
        async with gate:
            return await call

    return await asyncio.gather(*(one(call) for call in calls))


async def test_a_budget_is_spent_to_the_last_unit_and_not_one_more(books: Any) -> None:
    revision = await books.live("spring", 10_000)
    requests = [books.request(f"p{n}", {"spring": (revision, 300 + n % 7)}) for n in range(120)]
    outcomes = await _all([books.reserve(request) for request in requests])
    granted = sum(o[0]["quote"]["discount"] for o in outcomes if o[0]["outcome"] == "reserved")
    assert {o[0]["outcome"] for o in outcomes} == {"reserved", "refused"}
    assert 10_000 - 306 < granted <= 10_000
    assert await books.money("spring") == (0, 10_000 - granted, granted, 0)
    await books.balanced()


async def test_a_payers_limit_holds_under_load(books: Any) -> None:
    revision = await books.live("spring", 10**9, limits=({"subject": "payer", "period": "ever", "count_max": 3},))
    requests = [books.request(f"p{n}", {"spring": (revision, 5)}, payer_ref=bytes([n % 4]) * 32) for n in range(120)]
    outcomes = await _all([books.reserve(request) for request in requests])
    assert sum(o[0]["outcome"] == "reserved" for o in outcomes) == 4 * 3
    await books.balanced()


async def test_one_payment_from_many_clients_is_granted_once(books: Any) -> None:
    spring, gift = await books.live("spring", 10_000), await books.live("gift", 10_000)
    requests = [
        books.request("p1", {"spring": (spring, 100)} if n % 2 else {"gift": (gift, 100)}, quote_id=f"qte_{n}")
        for n in range(40)
    ]
    outcomes = await _all([books.reserve(request) for request in requests])
    kinds = [o[0]["outcome"] for o in outcomes]
    assert sorted(set(kinds)) == ["replayed", "reserved"] and kinds.count("reserved") == 1
    assert len({o[0]["quote"]["quote_id"] for o in outcomes}) == 1
    await books.balanced()


async def test_one_quote_has_one_end_however_many_try(books: Any) -> None:
    revision = await books.live("spring", 10_000)
    await books.reserve(*(books.request(f"p{n}", {"spring": (revision, 100)}) for n in range(20)))
    calls = [call for n in range(20) for call in (books.capture(f"qte_p{n}"), books.release(f"qte_p{n}"))]
    random.Random(1).shuffle(calls)
    await _all(calls)
    unopened, left, reserved, granted = await books.money("spring")
    assert (unopened, reserved, left + granted) == (0, 0, 10_000)
    await books.balanced()


async def test_racing_refunds_return_what_was_granted_and_no_more(books: Any) -> None:
    revision = await books.live("spring", 10_000)
    await books.reserve(books.request("p1", {"spring": (revision, 997)}, amount=3_001))
    await books.capture("qte_p1")
    outcomes = await _all([books.refund("p1", f"r{n % 15}", 301) for n in range(45)])
    done = {o["refund"]["refund_id"]: o["refund"]["returned"] for o in outcomes if o["outcome"] == "done"}
    assert len(done) == 9  # Nine refunds of 301 fit 3,001; a tenth does not.
    assert sum(done.values()) == 997 * 2_709 // 3_001
    await books.balanced()


async def test_batches_that_cross_do_not_deadlock(books: Any) -> None:
    revisions = {name: await books.live(name, 10**6) for name in ("a", "b", "c")}

    def batch(seed: int) -> list[dict[str, Any]]:
        chance = random.Random(seed)
        found = []
        for n in chance.sample(range(60), 12):
            names = chance.sample(sorted(revisions), 2)
            old = f"p{chance.randrange(60)}" if chance.random() < 0.3 else None
            found.append(
                books.request(
                    f"p{n}",
                    {name: (revisions[name], 10) for name in names},
                    quote_id=f"qte_{seed}_{n}",
                    supersedes=old if old != f"p{n}" else None,
                )
            )
        return found

    outcomes = await _all([books.reserve(*batch(seed)) for seed in range(40)])
    assert all(len(one) == 12 for one in outcomes)
    await books.balanced()


async def test_nothing_commits_after_a_stop_has_committed(books: Any) -> None:
    from makegood.store import campaigns

    revision = await books.live("spring", 10**6)
    busy, stopped = asyncio.Event(), asyncio.Event()
    after: list[str] = []

    async def client(number: int) -> None:
        for n in itertools.count():
            known = stopped.is_set()
            outcome = (await books.reserve(books.request(f"p{number}-{n}", {"spring": (revision, 10)})))[0]
            if n == 5:
                busy.set()
            if known:
                after.append(outcome["outcome"])
                if len(after) >= 80:
                    return

    async def stop() -> None:
        await busy.wait()
        await campaigns.stop(books.pool, books.house.id, "olga", "spring", "a test")
        stopped.set()

    async with asyncio.timeout(30):
        await asyncio.gather(stop(), *(client(number) for number in range(8)))
    assert set(after) == {"refused"}
    await books.balanced()
