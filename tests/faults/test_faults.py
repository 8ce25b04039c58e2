"""A short storm: every way in which a part can fail, once, under sixty-four clients. The long one is run by itself."""

import json
from pathlib import Path

from tests.faults.book import Deed, Sale
from tests.faults.calls import Said
from tests.faults.report import words
from tests.faults.rounds import Round, run_round
from tests.faults.run import SEED, left_out
from tests.faults.schedule import KILLS, Kind, counted, long_lanes, short_lanes
from tests.faults.site import opened_site
from tests.faults.sums import peak


async def test_whatever_fails_nothing_acknowledged_is_lost_or_done_twice() -> None:
    async with opened_site() as site:
        missing = left_out(small_disk=site.disk.is_small)
        one = await run_round(site, SEED, short_lanes(SEED, [*missing]))
    assert one.violations == [], words(one)
    _assert_it_was_a_storm(one, set(Kind) - set(missing))


def _assert_it_was_a_storm(one: Round, kinds: set[Kind]) -> None:
    """Every fault struck, calls failed because of it, and payments were decided again when it was over."""
    assert set(one.struck.counted()) == {kind.value for kind in kinds}
    assert set(one.felt()) == {kind.value for kind in kinds}
    assert one.decided_after(max(ended for _, _, ended in one.struck.times)) > 0
    counts = one.counts()
    for what in ("quotes", "captures", "releases", "refunds"):
        assert counts[f"{what}_acknowledged"] > 0, counts
    assert counts["expired"] > 0 and counts["payments_while_stopped"] > 0, counts


def test_a_seed_says_what_fails_and_when() -> None:
    assert long_lanes(7, 40) == long_lanes(7, 40) != long_lanes(8, 40)
    assert sum(counted(long_lanes(7, 40))[kind.value] for kind in KILLS) == 40


def test_the_most_that_was_held_is_found_at_its_moment() -> None:
    assert peak([(1.0, 5), (3.0, 4), (2.0, -5), (3.0, -1)]) == 5
    assert peak([(1.0, 5), (2.0, 4), (3.0, -5)]) == 9


def test_an_answer_that_changes_is_noticed() -> None:
    quote = {"quote_id": "qte_1", "payment_id": "p", "currency": "CNY", "amount_minor": 100, "discount_minor": 5}
    quote |= {"benefits": [], "lines": [], "decided_at": "d", "valid_until": "v", "snapshot": "s"}
    sale = Sale(Deed("quote", "/v1/quotes", {"payment_id": "p", "amount": 100}), "payer")
    assert sale.quote.take(Said(200, quote, 1.0, 2.0)) is None
    assert sale.quote.take(Said(200, dict(quote), 3.0, 4.0)) is None
    assert "discount_minor" in (sale.quote.take(Said(200, quote | {"discount_minor": 6}, 3.0, 4.0)) or "")
    assert "nothing" in (sale.quote.take(Said(200, quote | {"quote_id": None}, 3.0, 4.0)) or "")


def test_the_recorded_storm_killed_a_thousand_and_broke_nothing() -> None:
    result = json.loads((Path(__file__).parent / "result.json").read_text(encoding="utf-8"))
    assert result["kills"] >= 1_000 and result["clients"] == 64
    assert result["violations"] == {} and result["smallest"] is None
    assert set(result["faults"]) == set(result["faults_felt"]) == {kind.value for kind in Kind}
