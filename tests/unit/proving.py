"""The example documents, and campaigns made from them, for tests of proofs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from makegood.clock import Instant
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.domain.brief import Brief
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Policy, Rule
from makegood.proof.verdict import Report, Row

EXAMPLES = Path(__file__).parents[2] / "examples"


def read_trio(campaign: str = "spring", brief: str | None = None) -> tuple[Campaign, Brief, Policy]:
    """An example campaign with its brief and policy."""
    names = ("policy.yaml", f"brief-{brief or campaign}.yaml", f"campaign-{campaign}.yaml")
    bundle = read_documents([Source(name, (EXAMPLES / name).read_bytes()) for name in names], now=Instant(0))
    found = bundle.campaigns[0].campaign, bundle.briefs[0].brief, bundle.policies[0].policy
    assert found[0] is not None and found[1] is not None and found[2] is not None
    return found[0], found[1], found[2]


def row_of(report: Report, obligation: str) -> Row:
    """The row of that name."""
    return next(row for row in report.rows if row.obligation == obligation)


def with_rule(policy: Policy, rule: str, *, never: bool = False) -> Policy:
    """The policy with this one rule, `r`, and no other."""
    return replace(policy, rules=(Rule("r", rule, negated=never),))


def words_of(row: Row) -> str:
    """The witness's sentence in English."""
    assert row.witness is not None
    return row.witness.words["en"]


def payment_of(row: Row) -> dict[str, Any]:
    """The witness's payment."""
    assert row.witness is not None
    return dict(row.witness.payment)
