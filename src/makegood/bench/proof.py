"""The line `proof`: one new campaign proved beside others that are live, and beside nothing in the same run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from math import ceil
from random import Random

from makegood.bench.measure import wall_ms
from makegood.bench.row import AnswersDiffer, Lines, Row, Versus
from makegood.bench.shape import BUDGET, CHANNELS, CITIES, POLICY, WINDOW
from makegood.domain.benefit import AmountOff, Benefit, PercentOff, Tier, Tiers
from makegood.domain.brief import Brief, Expectation, PerPayer, Share
from makegood.domain.campaign import Campaign, Stacking
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.policy import Policy, Rule

SIZES = (10, 100)

_UNIT = "ms of wall time, p95"
_GROUPS = 10  # So many campaigns may be granted together.
_RATE = 400  # Ten groups at 4 % and the newcomer at 5 % keep within half of the amount.
_RULES = (
    Rule("half-at-most", "total * 2 <= payment.amount", negated=False),
    Rule("never-on-transfers", 'payment.scene == "transfer" && total > 0', negated=True),
)


@dataclass(frozen=True, slots=True)
class Effort:
    """How often each proof is made, and beside how many live campaigns."""

    repeats: int = 30
    sizes: Sequence[int] = SIZES


def bench_proof(seed: int, effort: Effort = Effort()) -> Lines:
    """A row for each number of live campaigns, beside the time that as many proofs of one alone would take.

    Raises AnswersDiffer where a campaign is not proved, for the time of a refusal says nothing about a proof.
    """
    if find_spec("z3") is None:
        return Lines((), "Nothing was proved.", ("`z3-solver`: pip install 'makegood[proof]'",))
    taken = _measure([0, *effort.sizes], seed, effort.repeats)
    alone = taken.pop(0)
    rows = tuple(
        Row("proof", f"beside {size:,} live", found, _UNIT, Versus(f"{size + 1:,} proofs alone", alone * (size + 1)))
        for size, found in taken.items()
    )
    said = "; ".join(f"{row.case}: {row.value:.0f} ms" for row in rows)
    return Lines(rows, f"A new campaign is proved in 95 of 100 runs within: alone {alone:.0f} ms; {said}.")


def portfolio(size: int, seed: int) -> tuple[Policy, Sequence[Campaign]]:
    """A policy with a rule on the sum of all discounts, and live campaigns of ten groups that together keep it."""
    chance = Random(seed)  # noqa: S311 - a benchmark
    return replace(POLICY, rules=_RULES), [_live(number, chance) for number in range(size)]


def newcomer(spend: int) -> tuple[Campaign, Brief]:
    """The campaign to prove, which may meet every live one, and its brief."""
    when = f'payment.scene == "in_store_qr" && payment.amount >= {spend}'
    campaign = _campaign("newcomer", when, PercentOff(500, 2_000), "newcomer")
    brief = Brief(
        "newcomer", {"en": "bench"}, campaign.label, campaign.funding, WINDOW, ("in_store_qr",), spend, 2_000, 500,
        BUDGET, PerPayer(3, None), BUDGET, Expectation(10_000, 2_000, BUDGET),
    )  # fmt: skip
    return campaign, brief


def _measure(sizes: Sequence[int], seed: int, repeats: int) -> dict[int, float]:
    """By the number of live campaigns: milliseconds that 95 of 100 proofs stay below. No two proofs are of one text."""
    worlds = {size: portfolio(size, seed) for size in sizes}
    taken: dict[int, list[float]] = {size: [] for size in sizes}
    for number in range(repeats + 1):
        for size, (policy, live) in worlds.items():
            found = wall_ms(partial(_prove, 10_000 + number, policy, live))
            if number:  # The first proof loads the solver.
                taken[size].append(found)
    return {size: sorted(found)[ceil(0.95 * len(found)) - 1] for size, found in taken.items()}


def _prove(spend: int, policy: Policy, live: Sequence[Campaign]) -> None:
    from makegood.proof.prove import prove_campaign

    campaign, brief = newcomer(spend)
    report = prove_campaign(campaign, brief, policy, live)
    if not report.is_proved:
        raise AnswersDiffer(f"the campaign is not proved beside {len(live):,}: {', '.join(report.failed)}")


def _live(number: int, chance: Random) -> Campaign:
    spend = chance.randrange(10, 300) * 100
    links = ['payment.scene == "in_store_qr"', f"payment.amount >= {spend}"]
    if number % 2:  # The others meet all payments of the scene.
        cities = ", ".join(f'"{city}"' for city in chance.sample(CITIES, 3))
        links += [f'payment.channel == "{chance.choice(CHANNELS)}"', f"payment.city in [{cities}]"]
    return _campaign(f"live-{number:03}", " && ".join(links), _benefit(number, spend), f"group-{number % _GROUPS}")


def _benefit(number: int, spend: int) -> Benefit:
    least = spend * _RATE // 10_000
    kinds: tuple[Benefit, ...] = (
        PercentOff(_RATE, 20 * least),
        AmountOff(least),
        Tiers((Tier(spend, least), Tier(2 * spend, 2 * least))),
    )
    return kinds[number // _GROUPS % len(kinds)]


def _campaign(identity: str, when: str, benefit: Benefit, group: str) -> Campaign:
    return Campaign(
        identity, {"en": identity}, "platform_discount", (Share("platform", 10_000),), WINDOW, when, benefit, BUDGET,
        (Limit(Subject.PAYER, Period.EVER, count_max=3),), (BUDGET,), Stacking(group, 100),
    )  # fmt: skip
