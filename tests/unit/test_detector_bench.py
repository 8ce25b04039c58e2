"""The line `detector`: its rows, and that it counts what pricing granted. Nothing here looks at a time."""

from makegood.bench.detector import Effort, bench_detector, observations
from makegood.bench.price import build_world


def test_the_rows_are_those_of_payments_as_priced_without_a_grant_and_all_granted() -> None:
    lines = bench_detector(7, Effort(payments=60, repeats=1))
    assert [row.case.partition(", ")[2] for row in lines.rows] == ["as priced", "no grant", "every payment granted"]
    assert {row.versus.what for row in lines.rows} == {"pricing them, full order"}
    assert "granted something" in lines.summary


def test_what_is_observed_is_what_was_priced() -> None:
    world = build_world(40, 7, 150)
    found = observations(world)
    assert [payment_id for _, _, payment_id in found] == [one.payment_id for one in world.payments]
    assert 0 < sum(bool(grants) for _, grants, _ in found) < len(found)
    assert all(grant.amount > 0 for _, grants, _ in found for grant in grants)
