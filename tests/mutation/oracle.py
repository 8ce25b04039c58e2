"""Says what is wrong with a campaign, by trying payments: one for every way in which its documents tell them apart.

It knows nothing of the solver. Document facts are compared here, payments are granted by `granting` and searched by
`search`; every obligation is broken or not, and gets the smallest payment found that breaks it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from tests.mutation.amounts import first_where
from tests.mutation.baskets import off_items
from tests.mutation.granting import discount_bounds, may_combine, plan_of
from tests.mutation.ruling import rulings
from tests.mutation.search import BRIEF, Bad, Search, broken_alone

from makegood.domain.benefit import ItemBenefit
from makegood.domain.brief import Brief
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.payment import parse_payment
from makegood.domain.policy import Policy
from makegood.rules.environment import payment_environment

BY_PAYMENT = tuple(BRIEF + name for name in ("discount_max", "rate_max", "spend_min", "scenes", "window"))
POLICY = "inside_policy."
STAGES = POLICY + "stages"
APPLIES = "can_ever_apply"
WORST = "budget_bound"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether each obligation is broken, and the smallest payment that shows it where any is granted at all."""

    broken: Mapping[str, bool]
    bad: Mapping[str, Bad]
    largest: int

    @property
    def is_harmful(self) -> bool:
        """Whether any obligation is broken."""
        return any(self.broken.values())

    @property
    def faults(self) -> tuple[str, ...]:
        """The broken obligations."""
        return tuple(name for name, is_broken in self.broken.items() if is_broken)


def judge(
    campaign: Campaign, brief: Brief, policy: Policy, live: Sequence[Campaign] = (), *, is_hasty: bool = False
) -> Judgement:
    """The judgement of one campaign among others; itself, by id, left out of them. In haste one fault is enough."""
    search = Search(campaign, brief, policy, live=tuple(one for one in live if one.id != campaign.id),
                    most=most_allowed(campaign, policy))  # fmt: skip
    search.run(until_bad=is_hasty)
    by_payment = (*BY_PAYMENT, *(POLICY + rule.id for rule in policy.rules))
    facts = document_facts(campaign, brief, policy) | {APPLIES: search.largest == 0}
    broken = {name: name in search.bad for name in (*by_payment, STAGES, WORST)}
    broken |= {name: is_broken or broken.get(name, False) for name, is_broken in facts.items()}
    shown = {
        name: search.least if facts.get(name) else search.bad[name] for name, is_broken in broken.items() if is_broken
    }
    return Judgement(broken, {name: bad for name, bad in shown.items() if bad is not None}, search.largest)


def most_allowed(campaign: Campaign, policy: Policy) -> dict[str, int]:
    """The largest discount that the first stage holds, and the largest that keeps the policy's worst losses."""
    first = campaign.stages[0]
    worst = first_where(lambda discount: not _keeps_worst(campaign, policy, discount), 1, campaign.budget + 1)
    return {
        STAGES: first if first != campaign.budget else campaign.budget,
        WORST: campaign.budget if worst is None else worst - 1,
    }


def document_facts(campaign: Campaign, brief: Brief, policy: Policy) -> dict[str, bool]:
    """The obligations that the documents alone can break: whether they do."""
    owner = policy.labels[campaign.label].owner
    shares = {share.funder: share.basis_points for share in campaign.funding}
    return {
        BRIEF + "label": campaign.label != brief.label,
        BRIEF + "funding": shares != {share.funder: share.basis_points for share in brief.funding},
        BRIEF + "budget": campaign.budget > brief.budget,
        BRIEF + "per_payer": not _keeps_per_payer(campaign, brief),
        STAGES: not _keeps_stages(campaign, brief, policy),
        "label_is_funded": owner is not None and shares.get(owner, 0) <= 0,
    }


def _keeps_per_payer(campaign: Campaign, brief: Brief) -> bool:
    ever = [one for one in campaign.limits if (one.subject, one.period) == (Subject.PAYER, Period.EVER)]
    counts = [one.count_max for one in ever if one.count_max is not None]
    amounts = [one.amount_max for one in ever if one.amount_max is not None]
    agreed = brief.per_payer
    return (agreed.count is None or min(counts, default=agreed.count + 1) <= agreed.count) and (
        agreed.amount is None or min(amounts, default=agreed.amount + 1) <= agreed.amount
    )


def _keeps_stages(campaign: Campaign, brief: Brief, policy: Policy) -> bool:
    stages = campaign.stages
    return (
        stages[0] <= min(policy.stages.first_max, brief.stage_first_max)
        and all(before < after <= before * policy.stages.growth_max for before, after in pairwise(stages))
        and stages[-1] == campaign.budget
    )


def _keeps_worst(campaign: Campaign, policy: Policy, largest: int) -> bool:
    """Whether the worst second and the worst total are within the policy's bounds, if that is the largest discount."""
    everyone = [one for one in campaign.limits if one.subject is Subject.ALL]
    total = min([campaign.budget, *(_most(one, largest) for one in everyone if one.period is Period.EVER)])
    second = min([largest * policy.payments_per_second, total, *(_most(one, largest) for one in everyone)])
    return second <= policy.worst.per_second and total <= policy.worst.total


def _most(limit: Limit, largest: int) -> int:
    """The most that a limit over everyone lets go in its period."""
    bounds = [limit.amount_max, None if limit.count_max is None else limit.count_max * largest]
    return min(bound for bound in bounds if bound is not None)


def shows(
    obligation: str, bad: Bad, campaign: Campaign, brief: Brief, policy: Policy, live: Sequence[Campaign] = ()
) -> bool:
    """Whether that payment is really granted that, and so breaks the obligation; where documents break it, granted.

    What shows that a campaign never applies is a payment that gets nothing. Raises Problem where it is no payment.
    """
    payment = parse_payment(dict(bad.payment), policy.schema)
    environment = payment_environment(policy.schema)
    if obligation == APPLIES:
        return bad.discount == 0 and not bad.others
    others = {one.id: one for one in live if one.id != campaign.id}
    members = (campaign, *(others[name] for name in bad.others))
    draw = (bad.discount, *bad.others.values())
    for one, discount in zip(members, draw, strict=True):
        bounds = discount_bounds(one, payment.amount)
        if bounds is None or not bounds[0] <= discount <= bounds[1]:
            return False
        if not plan_of(one, environment).takes(payment.fields):
            return False
    of_lines = [
        (one.benefit, off) for one, off in zip(members, draw, strict=True) if isinstance(one.benefit, ItemBenefit)
    ]
    if payment.items and not any(off_items(benefit, payment.items) == off for benefit, off in of_lines):
        return False
    if sum(draw) > payment.amount or not all(may_combine(one, other) for one, other in combinations(members, 2)):
        return False
    if obligation in BY_PAYMENT:
        return obligation in _broken(payment.fields, bad.discount, brief)
    if obligation in (STAGES, WORST) and not document_facts(campaign, brief, policy).get(obligation):
        return bad.discount > most_allowed(campaign, policy)[obligation]
    found = [ruling for ruling in rulings(policy) if ruling.name == obligation]
    return found[0].is_broken(payment.fields, members, draw) if found else True


def _broken(fields: Mapping[str, Any], discount: int, brief: Brief) -> list[str]:
    in_scene, in_window = fields["scene"] in brief.scenes, brief.window.holds(fields["occurred_at"])
    return list(broken_alone(brief, fields["amount"], discount, in_scene, in_window))
