"""The questions of a proof, as SMT-LIB text, put to another solver: cvc5 gives the same verdicts."""

from dataclasses import replace

import pytest
from tests.agree.other_solver import answer_of
from tests.unit.proving import read_trio

from makegood.domain.benefit import PercentOff, RandomOff
from makegood.domain.campaign import Stacking
from makegood.proof.prove import prove_campaign, prove_change, prove_policy
from makegood.proof.verdict import Row, Verdict


def agrees(row: Row) -> None:
    answer = answer_of(row.question)
    assert answer in ("sat", "unsat"), (row.obligation, answer)
    assert (answer == row.proved_if) is (row.verdict is Verdict.PROVED), row.obligation


@pytest.mark.parametrize("name", ["spring", "tiers", "lucky", "coffee", "16-january"])
def test_another_solver_gives_the_same_verdict_on_every_row(name: str) -> None:
    campaign, brief, policy = read_trio(name, "spring" if name == "16-january" else name)
    for row in prove_campaign(campaign, brief, policy).rows:
        agrees(row)


@pytest.mark.parametrize("when", [
    'payment.city.startsWith("Hang") && payment.scene == "in_store_qr" && payment.amount >= 10000',
    'payment.payer_segments.exists(s, s == "vip") && payment.scene == "in_store_qr" && payment.amount >= 10000',
    'payment.occurred_at.getHours("Asia/Shanghai") >= 22 && payment.scene in ["in_store_qr"] && payment.amount > 9999',
    'has(payment.store_type) && payment.store_type == "chain" && payment.amount % 100 == 0',
])  # fmt: skip
def test_texts_lists_and_hours_are_questions_that_another_solver_understands(when: str) -> None:
    campaign, brief, policy = read_trio()
    for row in prove_campaign(replace(campaign, when=when), brief, policy).rows:
        agrees(row)


def test_portfolios_and_changes_are_questions_that_another_solver_understands() -> None:
    campaign, brief, policy = read_trio()
    others = [
        replace(campaign, id=f"c{n}", benefit=PercentOff(500 * n, 2_000), stacking=Stacking(f"g{n}", n))
        for n in range(1, 5)
    ] + [replace(campaign, id="lucky", benefit=RandomOff(1, 99), stacking=Stacking("g1", 9))]
    for row in (*prove_campaign(campaign, brief, policy, others).rows, *prove_policy(policy, others).rows):
        agrees(row)
    change = prove_change(campaign, replace(campaign, benefit=PercentOff(2100, 5000)), policy)
    agrees(change.no_new_subsidy)
    agrees(change.equivalent)
