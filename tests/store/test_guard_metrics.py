"""The metrics of guards count what they say, on a real store."""

import pytest
from tests.shop import Shop, example, open_shop

from makegood.services import control, rounds, watching
from makegood.services.live import live_set
from makegood.services.platform import Platform
from makegood.services.quotes import quote
from makegood.services.rounds import guard_round
from makegood.services.watching import guarded_of
from makegood.store.lately import CampaignBooks
from makegood.store.pool import in_house
from makegood.telemetry import REGISTRY

CAMPAIGN = "spring-qr-2027"


def value(name: str, **labels: str) -> float:
    """What a metric says now; 0 where it never spoke."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
async def watched(platform: Platform) -> Shop:
    """The spring campaign in a house with every guard, decided by a process of its own."""
    shop = (await open_shop(platform, guards_left_out=())).elsewhere()
    await shop.launch(example("campaign-spring.yaml"), example("brief-spring.yaml"))
    return shop


async def test_a_round_counts_what_was_observed_merged_and_judged(watched: Shop) -> None:
    names = ("makegood_detector_observations_total", "makegood_guard_round_seconds_count")
    before = [value(name) for name in names]
    merged = value("makegood_detector_merges_total", result="merged")
    for city in ("Hangzhou", "Beijing", "Beijing"):
        await quote(watched.platform, watched.callers["till"], watched.payment(city=city))
    await guard_round(watched.platform)
    assert [value(name) for name in names] == [before[0] + 3, before[1] + 1]
    assert value("makegood_detector_merges_total", result="merged") == merged + 1
    assert value("makegood_stages_judged_total", because="evidence_is_short") > 0
    assert 0 < value("makegood_lease_seconds") <= watched.platform.settings.lease_ms / 1000
    await guard_round(watched.platform)
    assert value("makegood_detector_observations_total") == before[0] + 3
    assert watched.platform.guarded[watched.house.id].decisions[CAMPAIGN].payers == 0


async def test_a_merge_that_fails_is_counted_and_told_again(watched: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = value("makegood_detector_merges_total", result="failed")
    await quote(watched.platform, watched.callers["till"], watched.payment())
    with monkeypatch.context() as patch:
        patch.setattr(watching, "_TRIES_MAX", 0)  # As if others changed it each time.
        await guard_round(watched.platform)
    assert value("makegood_detector_merges_total", result="failed") == failed + 1
    assert watched.platform.guarded[watched.house.id].told
    await guard_round(watched.platform)
    assert not watched.platform.guarded[watched.house.id].told


async def test_stops_in_force_are_counted_by_what_they_stop(watched: Shop) -> None:
    known = await live_set(watched.platform, watched.house, fresh=True)
    guarded_of(watched.platform, watched.house, known)
    rounds.measure(watched.platform)
    assert value("makegood_stopped", what="campaign") == 0
    await control.stop_campaign(watched.platform, watched.callers["olga"], CAMPAIGN, "a drill")
    rounds.measure(watched.platform)
    assert (value("makegood_stopped", what="campaign"), value("makegood_stopped", what="scene")) == (1, 0)


async def test_an_alarm_is_counted_and_its_event_has_the_numbers_and_the_payments(watched: Shop) -> None:
    before = value("makegood_detector_alarms_total", measure="share", evidence="own")
    seen = [
        (await quote(watched.platform, watched.callers["till"], watched.payment()))["payment_id"] for _ in range(14)
    ]
    assert value("makegood_detector_alarms_total", measure="share", evidence="own") == before + 1
    await guard_round(watched.platform)
    async with in_house(watched.platform.store.pool, watched.house.id) as connection:
        (event,) = await connection.fetch("select subject, data from outbox where type = 'breaker.opened'")
    evidence = event["data"]["evidence"]
    assert (event["subject"], event["data"]["guard"], evidence["measure"]) == (CAMPAIGN, "detector", "share")
    assert evidence["statistic"] >= evidence["threshold"] > 0
    assert set(evidence["last"]) <= set(seen) and len(evidence["last"]) == evidence["grants"] > 5
    assert set(evidence["words"]) == {"en", "zh-CN"}


async def test_the_books_of_a_chart_are_read_by_number_and_sum_up_to_the_ledger(watched: Shop) -> None:
    for _ in range(3):
        await quote(watched.platform, watched.callers["till"], watched.payment())
    books = CampaignBooks(watched.platform.store.pool, watched.house.id, CAMPAIGN)
    now = (await live_set(watched.platform, watched.house)).store_clock()
    rows, is_more = await books.older(2**63 - 1, now.plus(60))
    assert not is_more
    assert (sum(row["granted"] for row in rows), sum(row["grants"] for row in rows)) == (12_000, 3)
    last = max(row["settled"] for row in rows)
    assert await books.newer(last, now.plus(-3_600), now) == []
    (newest,) = await books.newer(last - 1, now.plus(-3_600), now.plus(60))
    assert (newest["granted"], newest["grants"], newest["is_open"]) == (4_000, 1, False)
