"""How long a leak lasts, by the detector itself: outside the brief, and in its own scenes beside the bound."""

from collections.abc import Mapping, Sequence
from math import log
from random import Random
from typing import Any

from makegood.guard.cells import Observed, Watch, payments_a_year
from makegood.guard.detector import Detector

PEAK = 1_000
N = payments_a_year(PEAK)
SCENES = ("in_store_qr", "online", "transfer", "card_repayment", "bill", "rent", "transit")
OWN = SCENES[0]

_FUNDERS = frozenset({"platform", "merchant"})
_AGREED = Observed("spring", "coupon", _FUNDERS, 2_000)
_WRONG = Observed("spring", "subsidy", frozenset({"platform"}), 2_000)


def watch_of(share: float, campaign: str = "spring") -> Watch:
    """A campaign in one scene, with a mean discount of half the largest."""
    return Watch(campaign, frozenset({OWN}), "coupon", _FUNDERS, share, 2_500, 5_000)


def kl(leak: float, share: float) -> float:
    """The Kullback-Leibler divergence of a grant with chance `leak` from one with chance `share`, in nats a payment."""
    rest = (1 - leak) * log((1 - leak) / (1 - share)) if leak < 1 else 0.0
    return leak * log(leak / share) + rest


def outside(eligible: float, where: Sequence[str], campaigns: int, runs: int, seed: int) -> Mapping[str, Any]:
    """Wrong grants until a stop: label and funders are wrong, and each payment in `where` gets it with `eligible`."""
    wrong, payments = [], []
    for run in range(runs):
        chance = Random(f"{seed}-{run}")
        detector = _warm(0.05, campaigns, 400, chance)
        count = number = 0
        while True:
            number += 1
            granted = chance.random() < eligible
            count += granted
            if detector.observe(chance.choice(where), (_WRONG,) if granted else ()):
                break
        wrong.append(count)
        payments.append(number)
    row = {"eligible": eligible, "scenes": len(where), "campaigns": campaigns, "runs": runs}
    return {**row, **_spread("wrong_grants", wrong), "payments_mean": round(sum(payments) / runs, 1)}


def inside(share: float, leak: float, campaigns: int, runs: int, seed: int) -> Mapping[str, Any]:
    """Payments until a stop after the share in the brief's own scene rose, beside ln N ÷ KL and the CUSUM made for it.

    Before that the campaign granted as much as its brief allows. With several campaigns the bound has their ln, too.
    """
    bound = (log(N) + log(campaigns)) / kl(leak, share)
    delays = [_inside(share, leak, campaigns, Random(f"{seed}-{run}")) for run in range(runs)]
    cusums = [_cusum(share, leak, log(N) + log(campaigns), Random(f"{seed}-{run}")) for run in range(runs)]
    mean = sum(delays) / runs
    row = {"share": share, "leak": leak, "campaigns": campaigns, "runs": runs, "bound": round(bound, 1)}
    return {
        **row,
        **_spread("payments", delays),
        "times_bound": round(mean / bound, 3),
        "cusum_mean": round(sum(cusums) / runs, 1),
    }


def _inside(share: float, leak: float, campaigns: int, chance: Random) -> int:
    detector, number = _warm(share, campaigns, 3_000, chance), 0
    while True:
        number += 1
        if detector.observe(OWN, (_AGREED,) if chance.random() < leak else ()):
            return number


def _warm(share: float, campaigns: int, payments: int, chance: Random) -> Detector:
    """A detector after payments of every scene, the brief's granted as often as it allows. A false stop begins anew."""
    watches = [watch_of(share), *(watch_of(share, f"other-{number}") for number in range(1, campaigns))]
    detector = Detector(watches, N)
    for number in range(payments):
        scene = OWN if number % 2 else chance.choice(SCENES)
        detector.observe(scene, (_AGREED,) if scene == OWN and chance.random() < share else ())
    return detector


def _cusum(share: float, leak: float, threshold: float, chance: Random) -> int:
    """Payments until a CUSUM that knows the leak reaches the threshold: what nobody who does not know it can beat."""
    won, lost = log(leak / share), log((1 - leak) / (1 - share)) if leak < 1 else float("-inf")
    score, number = 0.0, 0
    while score < threshold:
        number += 1
        score = max(0.0, score + (won if chance.random() < leak else lost))
    return number


def _spread(name: str, values: list[int]) -> Mapping[str, Any]:
    ordered = sorted(values)
    at = min(int(len(ordered) * 0.99), len(ordered) - 1)
    return {
        f"{name}_mean": round(sum(values) / len(values), 2),
        f"{name}_p99": ordered[at],
        f"{name}_most": ordered[-1],
    }
