"""A stretch of the real payment file, in the order of time."""

from itertools import islice
from pathlib import Path

from makegood.clock import Instant
from makegood.demo.plan import JOURNEY, PAYMENT_FILE, Plan
from makegood.documents.document import PolicyDocument
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.domain.payment import Payment, parse_payment
from makegood.errors import Problem, ProblemCode
from makegood.files.payments import read_payments


def journey_sources() -> list[Source]:
    """The policy, briefs and campaigns that come with the package, by name."""
    return [Source(path.name, path.read_bytes()) for path in sorted(JOURNEY.glob("*.yaml"))]


def journey_policy() -> PolicyDocument:
    """The policy of the demo's house."""
    source = Source("policy.yaml", (JOURNEY / "policy.yaml").read_bytes())
    return read_documents([source], now=Instant(0)).policies[0]


def stretch(plan: Plan, path: Path = PAYMENT_FILE) -> list[Payment]:
    """The plan's payments: the first ones of the file that are not before its start.

    Raises Problem(PAYMENT_FILE_IS_WRONG) where the file holds fewer.
    """
    policy = journey_policy().policy
    assert policy is not None
    rows = (row.raw for row in read_payments(path, policy.schema, ordered=True) if row.raw is not None)
    since = (raw for raw in rows if raw["occurred_at"] >= plan.start)
    payments = [parse_payment(raw, policy.schema) for raw in islice(since, plan.payments)]
    if len(payments) < plan.payments:
        raise Problem(
            ProblemCode.PAYMENT_FILE_IS_WRONG,
            f"the file holds {len(payments)} payments from {plan.start.text()} on, not {plan.payments}",
        )
    return payments
