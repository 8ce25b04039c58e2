"""A short storm: every way in which a part can fail, once, under sixty-four clients. The long one is run by itself."""

import json
import os
from pathlib import Path

from tests.faults.book import Deed, Sale
from tests.faults.calls import Said
from tests.faults.checks import too_much
from tests.faults.report import words
from tests.faults.rounds import Round, run_round
from tests.faults.run import SEED, left_out
from tests.faults.schedule import KILLS, Kind, counted, long_lanes, short_lanes
from tests.faults.site import opened_site
from tests.faults.sums import peak

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
NIGHTLY_KILLS = 60


async def test_whatever_fails_nothing_acknowledged_is_lost_or_done_twice() -> None:
    async with opened_site() as site:
        missing = left_out(small_disk=site.disk.is_small)
        lanes = long_lanes(SEED, NIGHTLY_KILLS, missing) if NIGHTLY else short_lanes(SEED, missing)
        one = await run_round(site, SEED, lanes)
    assert one.violations == [], words(one)
    _assert_it_was_a_storm(one, set() if NIGHTLY else {kind.value for kind in Kind} - {kind.value for kind in missing})


def _assert_it_was_a_storm(one: Round, kinds: set[str]) -> None:
    """These faults struck, calls failed because of them, and payments were decided again when it was over.

    A single fault may be felt by nobody: the others go on while it lasts.
    """
    assert set(one.struck.counted()) >= kinds
    assert len(one.felt()) > len(kinds) // 2
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


def test_a_payer_who_got_too_much_of_all_campaigns_together_is_noticed() -> None:
    sales = [_sold(n, campaign) for n, campaign in enumerate(["small-gift"] * 3 + ["hot-budget"])]
    assert list(too_much(sales)) == []
    sales.append(_sold(4, "hot-budget"))
    assert list(too_much(sales)) == ["all campaigns gave payer 5 times, 4 are the most"]


def _sold(number: int, campaign: str) -> Sale:
    """A quote of 3.00 that was acknowledged at that second and captured."""
    moment, day = float(number), "1970-01-01T00:00:00Z"
    quote = {"benefits": [{"campaign": campaign, "discount_minor": 300}], "decided_at": day, "valid_until": day}
    sale = Sale(Deed("quote", "/v1/quotes", {"payment_id": f"p-{number}", "amount": 1_000}), "payer")
    sale.quote.first = Said(200, quote, moment, moment)
    sale.capture = Deed("capture", "", {}, moment, Said(200, {"captured_amount_minor": 1_000}, moment, moment))
    return sale


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
