"""Limits are the store's last word: total, day, hour; payer, device, payee; by count and by amount."""

from typing import Any

import pytest

from makegood.domain.limit import Period, Subject, Used
from makegood.store.ledger import Slots

HERS = {"payer_ref": b"\x01" * 32}
HIS = {"payer_ref": b"\x02" * 32}

CASES = [
    ({"subject": "all", "period": "ever", "count_max": 1}, {}, "limit_is_reached"),
    ({"subject": "all", "period": "day", "amount_max": 150}, {}, "day_limit_is_reached"),
    ({"subject": "all", "period": "hour", "count_max": 1}, {}, "hour_limit_is_reached"),
    ({"subject": "payer", "period": "ever", "amount_max": 199}, {}, "payer_limit_is_reached"),
    ({"subject": "device", "period": "day", "count_max": 1}, {"device_ref": b"\x03" * 32}, "device_limit_is_reached"),
    ({"subject": "payee", "period": "hour", "count_max": 1}, {}, "payee_limit_is_reached"),
    ({"subject": "payer", "period": "ever", "count_max": 0}, {}, "payer_limit_is_reached"),
]


@pytest.mark.parametrize(("limit", "changes", "reason"), CASES)
async def test_the_second_grant_is_refused_with_its_reason(
    books: Any, limit: dict[str, Any], changes: dict[str, Any], reason: str
) -> None:
    revision = await books.live("spring", 5_000, limits=(limit,))
    outcomes = await books.reserve(*(books.request(p, {"spring": (revision, 100)}, **changes) for p in ("p1", "p2")))
    zero = limit.get("count_max") == 0
    assert outcomes[0]["outcome"] == ("refused" if zero else "reserved")
    assert (outcomes[1]["outcome"], outcomes[1]["refused"]) == ("refused", {"spring": reason})
    await books.balanced()


@pytest.mark.parametrize(("subject", "reason"), [("payer", "payer_is_unknown"), ("device", "device_is_unknown")])
async def test_a_limit_on_somebody_unknown_refuses(books: Any, subject: str, reason: str) -> None:
    revision = await books.live("spring", 5_000, limits=({"subject": subject, "period": "ever", "count_max": 9},))
    outcome = await books.reserve(books.request("p1", {"spring": (revision, 100)}, payer_ref=None, device_ref=None))
    assert (outcome[0]["outcome"], outcome[0]["refused"]) == ("refused", {"spring": reason})


async def test_a_payers_limit_is_one_payers(books: Any) -> None:
    revision = await books.live("spring", 5_000, limits=({"subject": "payer", "period": "ever", "count_max": 1},))
    hers = [books.request(p, {"spring": (revision, 100)}, **HERS) for p in ("p1", "p2")]
    his = [books.request(p, {"spring": (revision, 100)}, **HIS) for p in ("p3", "p4")]
    outcomes = [one["outcome"] for one in await books.reserve(*hers, *his)]
    assert outcomes == ["reserved", "refused", "reserved", "refused"]
    await books.balanced()


async def test_a_release_gives_back_to_the_day_it_was_charged_to(books: Any) -> None:
    revision = await books.live("spring", 5_000, limits=({"subject": "all", "period": "day", "count_max": 1},))
    await books.reserve(books.request("p1", {"spring": (revision, 100)}))
    tomorrow = {"day": "2027-02-02", "hour": "2027-02-02T00+0800"}
    await books.reserve(books.request("p2", {"spring": (revision, 100)}, **tomorrow))
    await books.release("qte_p1")
    today = (await books.reserve(books.request("p3", {"spring": (revision, 100)})))[0]
    later = (await books.reserve(books.request("p4", {"spring": (revision, 100)}, **tomorrow)))[0]
    assert (today["outcome"], later["outcome"]) == ("reserved", "refused")
    await books.balanced()


async def test_an_exhausted_stage_is_told_from_an_exhausted_budget(books: Any) -> None:
    revision = await books.live("spring", 1_000, stage=100)
    stage = (await books.reserve(books.request("p1", {"spring": (revision, 101)})))[0]
    budget = (await books.reserve(books.request("p2", {"spring": (revision, 1_001)})))[0]
    assert stage["refused"] == {"spring": "stage_is_exhausted"}
    assert budget["refused"] == {"spring": "budget_is_exhausted"}


async def test_counters_belong_to_the_campaign_and_a_new_limit_counts_what_was_granted_before(books: Any) -> None:
    first = await books.live("spring", 5_000)
    await books.reserve(books.request("p1", {"spring": (first, 100)}))
    second = await books.live("spring", 6_000, limits=({"subject": "payee", "period": "ever", "count_max": 1},))
    stale = (await books.reserve(books.request("p2", {"spring": (first, 100)})))[0]
    fresh = (await books.reserve(books.request("p2", {"spring": (second, 100)})))[0]
    assert stale["refused"] == {"spring": "stale"}
    assert fresh["refused"] == {"spring": "payee_limit_is_reached"}
    await books.balanced()


async def test_the_balances_a_payment_sees_are_its_own(books: Any) -> None:
    revision = await books.live(
        "spring", 5_000, stage=1_000, limits=({"subject": "payer", "period": "ever", "count_max": 9},)
    )
    await books.reserve(books.request("p1", {"spring": (revision, 100)}, **HERS))
    hers = Slots(b"\x01" * 32, None, b"x" * 32, "2027-02-01", "2027-02-01T12+0800")
    seen = (await books.ledger.balances(books.house.id, ["spring"], hers))["spring"]
    assert (seen.budget, seen.stage) == (4_900, 900)
    assert seen.used[Subject.PAYER, Period.EVER] == Used(1, 100)
    his = Slots(b"\x02" * 32, None, b"x" * 32, "2027-02-01", "2027-02-01T12+0800")
    seen = (await books.ledger.balances(books.house.id, ["spring"], his))["spring"]
    assert (Subject.PAYER, Period.EVER) not in seen.used


async def test_a_budget_is_never_lowered_below_its_use(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    await books.reserve(books.request("p1", {"spring": (revision, 2_000)}))
    with pytest.raises(AssertionError, match="'used': 2000"):
        await books.live("spring", 1_999)
    await books.live("spring", 2_000, stage=1)
    assert await books.money("spring") == (0, 0, 2_000, 0)
    await books.balanced()
