"""The questions put to the solver: a campaign among others, a policy over all that is live, a change of a campaign."""

from collections.abc import Iterable, Iterator, Sequence

from makegood.domain.brief import Brief
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Policy
from makegood.proof.case import Case
from makegood.proof.change import compare
from makegood.proof.changed import changed_parts
from makegood.proof.effort import USUAL, Effort, OutOfTime
from makegood.proof.exposure import exposure_of, largest_of
from makegood.proof.house import prove_live
from makegood.proof.inside_brief import BRIEF_ROWS, inside_brief
from makegood.proof.inside_policy import (
    POLICY_ROWS,
    budget_bound,
    label_is_funded,
    never_applies,
    stages,
)
from makegood.proof.obligations import UNDECIDED
from makegood.proof.portfolio import alone
from makegood.proof.solver import NAME
from makegood.proof.verdict import EQUIVALENT, NO_NEW_SUBSIDY, Change, Report, Row, Verdict
from makegood.proof.words import words
from makegood.rules.smt import Unsupported

__all__ = ["Effort", "prove_campaign", "prove_change", "prove_policy"]


def prove_campaign(
    campaign: Campaign, brief: Brief | None, policy: Policy, live: Sequence[Campaign] = (), effort: Effort = USUAL
) -> Report:
    """Every obligation of the campaign, alone and together with every subset of `live` (itself, by id, left out).

    Without a brief there are only the policy's rows: that is for whoever writes a campaign, and lets nothing run. The
    rows stand in the order of docs/reference/obligations.md. Whatever the solver does not decide within the effort
    is UNKNOWN, and then the report is not proved.
    """
    try:
        case = Case(campaign, brief, policy, live, effort)
        rows = (*_brief_rows(case, brief), *_rule_rows(case), *_policy_rows(case, brief))
    except (Unsupported, OutOfTime) as beyond:
        names = (*(BRIEF_ROWS if brief is not None else ()), *_rule_names(policy), *POLICY_ROWS)
        return Report(tuple(_undecided(names, beyond)), None, NAME)
    largest = largest_of(case.offer, case.alone, policy.schema.amount_max)
    return Report(rows, None if largest is None else exposure_of(campaign, policy, largest), NAME)


def prove_policy(policy: Policy, live: Sequence[Campaign], effort: Effort = USUAL) -> Report:
    """The rules of a policy, `inside_policy.RULE_ID`, over every subset of what is live."""
    try:
        return Report(tuple(prove_live(policy, live, effort)), None, NAME)
    except (Unsupported, OutOfTime) as beyond:
        return Report(tuple(_undecided(_rule_names(policy), beyond)), None, NAME)


def prove_change(old: Campaign, new: Campaign, policy: Policy, effort: Effort = USUAL) -> Change:
    """Whether a new revision takes no more off any payment than the old one, and whether it does just the same."""
    try:
        return compare(old, new, policy, effort)
    except (Unsupported, OutOfTime) as beyond:
        rows = _undecided((NO_NEW_SUBSIDY, EQUIVALENT), beyond)
        return Change(next(rows), next(rows), None, None, tuple(changed_parts(old, new, policy)), NAME)


def _undecided(names: Iterable[str], beyond: Unsupported | OutOfTime) -> Iterator[Row]:
    """These rows as unknown, because an expression is beyond the solver, or there was no time left to ask."""
    hint = UNDECIDED
    if isinstance(beyond, Unsupported):
        hint = words(f"the solver cannot express it: {beyond}", f"求解器无法表达：{beyond}")
    for name in names:
        yield Row(name, Verdict.UNKNOWN, 0.0, "", path="/when", hint=hint)


def _rule_names(policy: Policy) -> tuple[str, ...]:
    return tuple(f"inside_policy.{rule.id}" for rule in policy.rules)


def _brief_rows(case: Case, brief: Brief | None) -> Iterator[Row]:
    if brief is None:
        return
    zone, currency = case.policy.timezone, case.policy.currency
    for obligation in inside_brief(case.offer, brief, case.payment, case.facts, zone, currency):
        yield case.row(obligation)


def _rule_rows(case: Case) -> Iterator[Row]:
    """A rule about the total is asked of every set that holds the campaign, any other of the campaign alone."""
    by_itself, beside = alone(case.offer), case.beside
    solver = case.solver_of(beside) if beside is not None else None
    for text in case.rules:
        if beside is None or solver is None or "total" not in text.reads:
            yield case.row(case.broken(text, by_itself))
        else:
            yield case.row_together(case.broken(text, beside), beside, solver)


def _policy_rows(case: Case, brief: Brief | None) -> Iterator[Row]:
    yield case.row(stages(case.offer, case.policy, brief, case.facts))
    yield case.row(label_is_funded(case.campaign, case.policy, case.facts))
    yield case.applies(never_applies(case.campaign))
    yield case.row(budget_bound(case.offer, case.policy))
