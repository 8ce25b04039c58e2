"""What the collar knows of one campaign: numbers of its brief and of the policy, and nothing of the campaign itself."""

from collections.abc import Collection
from dataclasses import dataclass, field

from makegood.domain.brief import Brief, Expectation, PerPayer, Share, Window
from makegood.domain.policy import Policy
from makegood.guard.checks import CollarCheck, Fault, listed
from makegood.limits import (
    COLLAR_PAYER_GRANTS_HOUR_MAX,
    COLLAR_PAYER_TIMES_MAX,
    COLLAR_SPEND_GRANTS_MIN,
    COLLAR_SPEND_TIMES_MAX,
)
from makegood.money import BASIS_POINTS


@dataclass(frozen=True, slots=True)
class PolicyNumbers:
    """What the policy declares. Amounts are minor units; `scenes` None: any; `labels` have their owner, if any."""

    currency: str
    amount_min: int
    amount_max: int
    scenes: frozenset[str] | None
    labels: dict[str, str | None]
    funders: frozenset[str]
    first_max: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """One campaign's numbers. Money is minor units, rates and shares basis points.

    `revision` is the approved one, `earlier` those that were approved before it. The last seven are worked out from
    the others: `fault` is what is wrong with them by themselves, the rest are bounds, None where there is none.
    """

    campaign: str
    revision: str
    earlier: frozenset[str]
    label: str
    funders: tuple[Share, ...]
    window: Window
    scenes: frozenset[str]
    spend_min: int
    discount_max: int
    rate_max: int
    budget: int
    per_payer: PerPayer
    stage_first_max: int
    expect: Expectation
    policy: PolicyNumbers
    fault: Fault | None = field(init=False)
    needs_payer: bool = field(init=False)
    payer_count_max: int | None = field(init=False)
    payer_amount_max: int | None = field(init=False)
    first_max: int = field(init=False)
    payee_spend_max: int = field(init=False)
    spend_max: int = field(init=False)

    def __post_init__(self) -> None:
        count, amount = self.per_payer.count, self.per_payer.amount
        few = self.discount_max * COLLAR_SPEND_GRANTS_MIN
        spend_max = max(self.expect.spend_per_minute * COLLAR_SPEND_TIMES_MAX, few)
        for name, value in (
            ("fault", _fault_of(self)),
            ("needs_payer", count is not None or amount is not None),
            ("payer_count_max", _payer_max(count, COLLAR_PAYER_GRANTS_HOUR_MAX)),
            ("payer_amount_max", _payer_max(amount, COLLAR_PAYER_GRANTS_HOUR_MAX * self.discount_max)),
            ("first_max", min(self.stage_first_max, self.policy.first_max)),
            ("payee_spend_max", spend_max // 2),
            ("spend_max", spend_max),
        ):
            object.__setattr__(self, name, value)


def policy_numbers_of(policy: Policy) -> PolicyNumbers:
    """What the policy declares, once for all campaigns of it."""
    scenes = policy.schema.fields["scene"].values
    return PolicyNumbers(
        currency=policy.currency,
        amount_min=policy.schema.amount_min,
        amount_max=policy.schema.amount_max,
        scenes=None if scenes is None else frozenset(scenes),
        labels={name: label.owner for name, label in policy.labels.items()},
        funders=frozenset(policy.funders),
        first_max=policy.stages.first_max,
    )


def numbers_of(
    brief: Brief, policy: Policy | PolicyNumbers, approved_revision: str, earlier: Collection[str] = ()
) -> Numbers:
    """The numbers of the campaign that the brief is for, whose approved revision is `approved_revision`.

    `earlier` are revisions of it that were approved before: their grants are withheld, and no breaker opens.
    """
    return Numbers(
        campaign=brief.campaign,
        revision=approved_revision,
        earlier=frozenset(earlier) - {approved_revision},
        label=brief.label,
        funders=brief.funding,
        window=brief.window,
        scenes=frozenset(brief.scenes),
        spend_min=brief.spend_min,
        discount_max=brief.discount_max,
        rate_max=brief.rate_max,
        budget=brief.budget,
        per_payer=brief.per_payer,
        stage_first_max=brief.stage_first_max,
        expect=brief.expect,
        policy=policy if isinstance(policy, PolicyNumbers) else policy_numbers_of(policy),
    )


def _payer_max(brief: int | None, least: int) -> int | None:
    """The most of an hour: far above what the brief allows for ever; a brief of 0 means 0."""
    return None if brief is None else max(brief * COLLAR_PAYER_TIMES_MAX, least) if brief else 0


def _fault_of(numbers: Numbers) -> Fault | None:
    """What brief and policy have against each other, whatever is granted."""
    policy, label, whole = numbers.policy, numbers.label, 0
    if label not in policy.labels:
        return CollarCheck.LABEL_IS_NOT_DECLARED, label, listed(policy.labels)
    owner = policy.labels[label]
    if owner is not None and sum(one.basis_points for one in numbers.funders if one.funder == owner) <= 0:
        return CollarCheck.OWNER_DOES_NOT_FUND, label, owner
    for one in numbers.funders:
        if one.funder not in policy.funders:
            return CollarCheck.FUNDER_IS_NOT_DECLARED, one.funder, listed(policy.funders)
        whole += one.basis_points
    return None if whole == BASIS_POINTS else (CollarCheck.SHARES_DO_NOT_ADD_UP, whole, BASIS_POINTS)
