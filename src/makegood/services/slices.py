"""The slices that a campaign's budget opens in, which policy and brief bound whatever its document says."""

from makegood.documents.worst import worst_loss
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Policy
from makegood.domain.review import Guard
from makegood.guard.stage import plan
from makegood.services.access import House


def slices_of(house: House, campaign: Campaign, policy: Policy, brief_first_max: int | None) -> tuple[int, ...]:
    """The slices that a campaign's budget really opens in, cumulative minor units; all at once without the guard."""
    if Guard.STAGE in house.guards_left_out:
        return (campaign.budget,)
    largest = worst_loss(campaign, policy).payment_minor
    return plan(
        campaign.stages, budget=campaign.budget, largest=largest, bounds=policy.stages, brief_first_max=brief_first_max
    )
