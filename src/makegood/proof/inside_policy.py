"""`inside_policy.*` and what else the policy asks of a campaign: stages, a funded label, a bounded loss."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import z3

from makegood.documents.words import CHINESE, ENGLISH, money_words
from makegood.domain.brief import Brief
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.policy import Policy
from makegood.proof.obligations import Clause, Facts, Obligation
from makegood.proof.offer import Offer, largest_grant
from makegood.proof.texts import RuleText
from makegood.proof.words import Sight, Words, words

POLICY_ROWS = ("inside_policy.stages", "label_is_funded", "can_ever_apply", "budget_bound")


def rule_clause(text: RuleText) -> Clause:
    """The words for a broken rule, with its text."""
    rule = text.rule
    chinese = "绝不允许" if rule.negated else "要求"
    return lambda _: words(
        f"the policy's rule `{rule.id}` says {rule.word}: {rule.expression}",
        f"平台规则`{rule.id}`{chinese}：{rule.expression}",
    )


def rule_path(text: RuleText) -> str:
    """Where to look first: at the benefit where the rule is about money only, else at the condition."""
    fields = {name for name in ("label", "funder") if name in text.reads}
    if "label" in fields:
        return "/label"
    if "funder" in fields:
        return "/funding"
    return "/benefit" if "payment.scene" not in text.rule.expression else "/when"


def rule_obligation(text: RuleText, bad: Any) -> Obligation:
    """`inside_policy.RULE_ID`, where `bad` says that the rule is broken."""
    rule = text.rule
    hint = words(
        f"look at `{rule.id}` in the policy, and narrow the campaign", f"请对照平台规则`{rule.id}`，收窄营销活动"
    )
    return Obligation(f"inside_policy.{rule.id}", rule_path(text), rule_clause(text), hint, grant=bad)


def stages(offer: Offer, policy: Policy, brief: Brief | None, facts: Facts) -> Obligation:
    """`inside_policy.stages`: the policy and the brief bound the slices, and the first holds one largest grant."""
    slices = offer.campaign.stages
    first_max = min(policy.stages.first_max, policy.stages.first_max if brief is None else brief.stage_first_max)
    grows = [facts.above(after, before * policy.stages.growth_max) for before, after in pairwise(slices)]
    shrinks = [facts.above(before + 1, after) for before, after in pairwise(slices)]
    last = facts.number(slices[-1]) != facts.number(offer.campaign.budget)
    first, most = (_both(minor, policy.currency) for minor in (slices[0], first_max))

    def clause(sight: Sight) -> Words:
        if slices[0] > first_max:
            return words(f"the first stage opens {first[0]}; at most {most[0]} may open at once",
                         f"第一个放量阶段为{first[1]}，一次最多可打开{most[1]}")  # fmt: skip
        if sight.discount > slices[0]:
            return words(f"the first stage, {first[0]}, does not hold it", f"第一个放量阶段只有{first[1]}，不够这一笔")
        growth = policy.stages.growth_max
        return words(f"each stage is above the one before, at most {growth} times it, and the last is the budget",
                     f"每个放量阶段最多是前一个的{growth}倍，且要大于前一个；最后一个等于预算")  # fmt: skip

    return Obligation(
        "inside_policy.stages",
        "/stages",
        clause,
        words(f"open at most {most[0]} first", f"第一个放量阶段最多打开{most[1]}"),
        fact=facts.any(facts.above(slices[0], first_max), last, *grows, *shrinks),
        grant=offer.discount > slices[0],
    )


def label_is_funded(campaign: Campaign, policy: Policy, facts: Facts) -> Obligation:
    """`label_is_funded`: whoever owns the label that payers see pays a share of it."""
    owner = policy.labels[campaign.label].owner
    paid = sum(share.basis_points for share in campaign.funding if share.funder == owner)
    return Obligation(
        "label_is_funded",
        "/funding",
        lambda _: words(f"it is shown as `{campaign.label}`, and {owner}, who owns that label, pays nothing of it",
                        f"其优惠标签`{campaign.label}`归{owner}所有，而{owner}没有出资"),
        words(f"use another label, or let {owner} pay a share", f"换一个优惠标签，或由{owner}出资"),
        fact=facts.above(1, paid) if owner is not None else facts.any(),
    )  # fmt: skip


def budget_bound(offer: Offer, policy: Policy) -> Obligation:
    """`budget_bound`: the worst loss in a second at the declared peak, and in total, is within the policy's."""
    campaign, worst, peak = offer.campaign, policy.worst, policy.payments_per_second
    total, second = list(_caps(campaign, offer.discount, (Period.EVER,))), list(_caps(campaign, offer.discount, Period))
    too_much = z3.And([cap > worst.total for cap in total])
    too_fast = z3.And([cap > worst.per_second for cap in (offer.discount * peak, *second)])

    def clause(sight: Sight) -> Words:
        lost = _both(sight.discount * peak, policy.currency)
        per_second, in_total = _both(worst.per_second, policy.currency), _both(worst.total, policy.currency)
        budget = _both(campaign.budget, policy.currency)
        return words(
            f"{peak:,} such payments a second would take {lost[0]}, until {budget[0]} are gone; "
            f"the policy accepts {per_second[0]} a second and {in_total[0]} in total",
            f"每秒{peak:,}笔就是{lost[1]}，直到用完{budget[1]}；平台规则最多接受每秒{per_second[1]}、总计{in_total[1]}",
        )

    hint = words(
        "lower the budget or the benefit, or add `per_hour` to `limits`", "降低预算或优惠，或在`limits`里加上`per_hour`"
    )
    return Obligation("budget_bound", "/limits", clause, hint, grant=z3.Or(too_much, too_fast))


def _caps(campaign: Campaign, discount: Any, periods: Sequence[Period] | type[Period]) -> Iterator[Any]:
    """What bounds the loss in these periods, when every grant is `discount`."""
    yield z3.IntVal(campaign.budget, discount.ctx)
    for limit in campaign.limits:
        if limit.subject is Subject.ALL and limit.period in tuple(periods):
            yield from _cap(limit, discount)


def _cap(limit: Limit, discount: Any) -> Iterator[Any]:
    if limit.count_max is not None:
        yield discount * limit.count_max
    if limit.amount_max is not None:
        yield z3.IntVal(limit.amount_max, discount.ctx)


def never_applies(campaign: Campaign) -> Clause:
    """The words for a campaign that is granted to nobody."""

    def clause(_: Sight) -> Words:
        if largest_grant(campaign) == 0:
            return words("a limit of 0 means zero: nobody is ever granted it", "限制为0就是零：任何人都得不到")
        return words(
            "no payment meets its condition, window, limits and benefit at once",
            "没有任何支付能同时满足其条件、活动时段、限制和优惠",
        )

    return clause


def _both(minor: int, currency: str) -> tuple[str, str]:
    return money_words(minor, currency, ENGLISH), money_words(minor, currency, CHINESE)
