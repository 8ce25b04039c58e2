"""What the guards know of everything live: numbers of briefs and policies, read apart from what pricing compiled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from makegood.domain.brief import Brief
from makegood.domain.expectations import absurd
from makegood.domain.policy import Policy
from makegood.guard.cells import Watch, payments_a_year
from makegood.guard.numbers import Numbers, numbers_of, policy_numbers_of
from makegood.services.access import House
from makegood.telemetry import log


@dataclass(frozen=True, slots=True)
class Known:
    """By currency and campaign what the collar knows, by campaign what is watched, and the payments of a year at most.

    `revisions` are those that are live, by campaign; `stopped` are the campaigns that are stopped.
    """

    numbers: Mapping[str, Mapping[str, Numbers]] = field(default_factory=dict)
    watches: tuple[Watch, ...] = ()
    payments_a_year: int = 1
    revisions: Mapping[str, str] = field(default_factory=dict)
    stopped: frozenset[str] = frozenset()


def known_of(
    house: House,
    policies: Mapping[str, Policy],
    live: Iterable[tuple[str, str, Brief | None]],
    stopped: Iterable[str] = (),
) -> Known:
    """What the guards know of a house. `live`: the currency, the revision and the brief of each live campaign.

    A campaign whose brief cannot be read, or expects what cannot be, is unknown to the guards that need it: then it is
    granted nothing, and the payments go on.
    """
    numbers: dict[str, dict[str, Numbers]] = {currency: {} for currency in policies}
    declared = {currency: policy_numbers_of(policy) for currency, policy in policies.items()}
    watches: list[Watch] = []
    revisions: dict[str, str] = {}
    for currency, revision, brief in live:
        if brief is None:
            log.error("a brief cannot be read by the policy in force", house=house.name, revision=revision)
            continue
        revisions[brief.campaign] = revision
        numbers[currency][brief.campaign] = numbers_of(brief, declared[currency], revision)
        if absurd(brief, policies[currency]):
            log.warning("nothing can be watched against this brief", house=house.name, campaign=brief.campaign)
        else:
            watches.append(Watch.of(brief))
    second = sum(policy.payments_per_second for policy in policies.values())
    return Known(numbers, tuple(watches), max(payments_a_year(second), 1), revisions, frozenset(stopped))
