"""What the line `stop` makes of what tills heard."""

import pytest

from makegood.bench.row import AnswersDiffer
from makegood.bench.stop import Effort, Stop, check_grants, granted_after, stop_rows
from makegood.bench.stop_till import Heard


def heard(sent: float, *, granted: bool, city: str = "City 1", decided: bool = True) -> Heard:
    return Heard(0, city, sent, sent + 0.01, {"quote_id": "qte_1" if granted else None, "decided": decided})


def test_a_grant_of_a_payment_sent_after_the_answer_ends_the_run() -> None:
    under_way, late = heard(0.9, granted=True), heard(1.1, granted=True)
    check_grants([under_way, heard(1.1, granted=False)], {"City 1": 1.0})
    assert granted_after([under_way, late], "City 1", 1.0) == [late]
    with pytest.raises(AnswersDiffer, match="was granted"):
        check_grants([under_way, late], {"City 1": 1.0})


def test_another_campaign_is_granted_all_the_same() -> None:
    check_grants([heard(1.1, granted=True, city="City 2")], {"City 1": 1.0})


def test_full_price_for_want_of_a_decision_is_no_refusal() -> None:
    assert not heard(1.0, granted=False, decided=False).refused
    assert heard(1.0, granted=False).refused


def test_times_count_from_when_the_stop_was_sent_and_over_all_nodes() -> None:
    one = Stop(sent=10.0, answered=10.05, last=[9.9, 10.02], next=[10.1, 10.2])
    two = Stop(sent=20.0, answered=20.04, last=[20.03, 20.01], next=[20.3, 20.1])
    rows = {row.case: row for row in stop_rows([one, two], [5.0, 7.0], Effort(nodes=2, stops=2))}
    assert rows["last grant, each of 2 nodes, most"].value == pytest.approx(30)
    assert rows["last grant, all nodes, p50"].value == pytest.approx(30)
    assert rows["last grant, all nodes, most"].versus.value == pytest.approx(50)
    assert rows["full price, each of 2 nodes, p99"].value == pytest.approx(300)
    assert rows["full price, each of 2 nodes, most"].versus.value == pytest.approx(7)


def test_a_node_that_granted_nothing_any_more_counts_as_the_least_that_is_told() -> None:
    one = Stop(sent=10.0, answered=10.05, last=[9.0], next=[10.1])
    assert stop_rows([one], [5.0], Effort(nodes=1, stops=1))[0].value == 0.1
