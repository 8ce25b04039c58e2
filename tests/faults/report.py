"""What the rounds showed, as one JSON object and as words."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.faults.checks import Violation
from tests.faults.rounds import Round
from tests.faults.schedule import Kind

SHOWN_MAX = 20


def report(seed: int, command: str, rounds: Sequence[Round]) -> dict[str, Any]:
    """`violations` counts them by rule; `smallest` is the failing example with the shortest story."""
    struck: Counter[str] = Counter()
    felt: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for one in rounds:
        struck += one.struck.counted()
        felt += one.felt()
        counts += one.counts()
        calls += one.tally.outcomes
    found = [(one.seed, violation) for one in rounds for violation in one.violations]
    return {
        "command": command,
        "seed": seed,
        "rounds": len(rounds),
        "clients": len(rounds[0].clients) if rounds else 0,
        "seconds": round(sum(one.seconds for one in rounds)),
        "longest_outage_seconds": round(max((one.outage_seconds for one in rounds), default=0)),
        "kills": sum(one.struck.kills for one in rounds),
        "faults": dict(sorted(struck.items())),
        "faults_felt": dict(sorted(felt.items())),
        "left_out": sorted({kind.value for kind in Kind} - set(struck)),
        "counts": dict(sorted(counts.items())),
        "calls": dict(sorted(calls.items())),
        "violations": dict(Counter(violation.rule for _, violation in found)),
        "smallest": smallest(found),
    }


def smallest(found: Sequence[tuple[int, Violation]]) -> dict[str, Any] | None:
    """The violation that is told soonest, with the seed of its round."""
    if not found:
        return None
    seed, violation = min(found, key=lambda one: len(one[1].words) + len(one[1].story))
    return {"seed": seed, "rule": violation.rule, "words": violation.words, "story": violation.story}


def words(one: Round) -> str:
    """A line on a round, and the first of what is wrong with it."""
    faults, counts = sum(one.struck.counted().values()), one.counts()
    lines = [
        f"round {one.seed}: {one.struck.kills} kills, {faults} faults, {counts['payments']} payments, "
        f"{counts['quotes_acknowledged']} granted, {len(one.violations)} violations, {one.seconds:.0f} s, "
        f"{one.checking_seconds:.0f} of them to check, longest outage {one.outage_seconds:.0f} s"
    ]
    lines += [f"  {found.rule}: {found.words}\n    {found.story}" for found in one.violations[:SHOWN_MAX]]
    return "\n".join(lines) + "\n"
