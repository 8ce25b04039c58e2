"""The campaign: the configuration that runs."""

import re

from makegood.documents.benefit import read_benefit
from makegood.documents.condition import read_expression
from makegood.documents.limits import missing_limit, read_limits
from makegood.documents.parts import read_funding, read_texts, read_window
from makegood.documents.reading import Place, Reading
from makegood.documents.stages import check_stages, default_stages, read_opening, read_stages
from makegood.domain.benefit import Benefit, largest_discount
from makegood.domain.campaign import Campaign, Stacking
from makegood.domain.policy import Policy
from makegood.findings import FindingCode
from makegood.limits import ID_CHARS_MAX, LIST_ENTRIES_MAX, PRIORITY_MAX
from makegood.money import format_money
from makegood.rules.environment import Environment, item_environment

REQUIRED = ("makegood", "id", "title", "label", "funding", "window", "when", "benefit", "stacking")
OPTIONAL = ("limits", "stages", "stages_open", "codes")
_CODE = re.compile(r"[!-~]+", re.ASCII)


def read_campaign(reading: Reading, policy: Policy | None, environment: Environment | None) -> Campaign | None:
    """The campaign of a document, or None where a part of it could not be read or there is no policy."""
    root = reading.root()
    fields = reading.fields(root, REQUIRED, OPTIONAL, of="a campaign")
    if fields is None:
        return None
    identifier = reading.identifier(fields["id"]) if "id" in fields else None
    title = read_texts(reading, fields["title"]) if "title" in fields else None
    label = reading.name(fields["label"], policy.labels if policy else None, "label") if "label" in fields else None
    funding = read_funding(reading, fields["funding"], policy) if "funding" in fields else None
    window = read_window(reading, fields["window"]) if "window" in fields else None
    when = read_expression(reading, fields["when"], environment) if "when" in fields else None
    line = item_environment(policy.schema.amount_max) if policy is not None else None
    benefit = read_benefit(reading, fields["benefit"], line) if "benefit" in fields else None
    if "limits" not in fields:
        missing_limit(reading, root, "limits")
    budget, limits = read_limits(reading, fields["limits"]) if "limits" in fields else (None, ())
    stages = read_stages(reading, fields["stages"], budget) if "stages" in fields else None
    by_hand = read_opening(reading, fields["stages_open"]) if "stages_open" in fields else False
    stacking = _stacking(reading, fields["stacking"]) if "stacking" in fields else None
    code = _code(reading, fields["codes"]) if "codes" in fields else None
    if reading.forbidden or policy is None or benefit is None or budget is None:
        return None
    stages = stages or default_stages(budget, largest_of(benefit, policy), policy)
    check_stages(reading, fields.get("stages", root), stages, largest_of(benefit, policy), policy)
    _check_budget(reading, fields["limits"], budget, largest_of(benefit, policy))
    assert identifier is not None and title is not None and label is not None and funding is not None
    assert window is not None and when is not None and stacking is not None
    return Campaign(
        identifier, title, label, funding, window, when, benefit, budget, limits, stages, stacking, code, by_hand
    )  # fmt: skip


def largest_of(benefit: Benefit, policy: Policy) -> int:
    """The most that a benefit can take off any payment the policy allows, minor units."""
    return largest_discount(benefit, policy.schema.amount_max)


def _check_budget(reading: Reading, place: Place, budget: int, largest: int) -> None:
    if budget < largest:
        assert reading.currency is not None
        message = f"the budget is below the largest discount, {format_money(largest, reading.currency)},"
        entry = place.node.entries()["budget"].value
        message += " which can therefore never be granted"
        reading.warning(place.at("budget", entry), FindingCode.VALUE_IS_WRONG, message)


def _stacking(reading: Reading, place: Place) -> Stacking | None:
    fields = reading.fields(place, ("group", "priority"), ("combines_with",), of="`stacking`")
    if fields is None:
        return None
    group = reading.identifier(fields["group"]) if "group" in fields else None
    priority = reading.whole(fields["priority"], 0, PRIORITY_MAX) if "priority" in fields else None
    others: tuple[str, ...] | None = None
    if "combines_with" in fields:
        entries = reading.entries(fields["combines_with"], LIST_ENTRIES_MAX)
        others = tuple(name for name in (reading.identifier(entry) for entry in entries) if name is not None)
    return Stacking(group, priority, others) if group is not None and priority is not None else None


def _code(reading: Reading, place: Place) -> str | None:
    fields = reading.fields(place, (), ("single", "bulk"), of="`codes`")
    if fields is None:
        return None
    if "bulk" in fields:
        reading.error(
            fields["bulk"], FindingCode.BENEFIT_IS_UNSUPPORTED, "`bulk` codes cannot be checked by this version",
            "use one code for everyone: `codes: {single: SPRING27}`",
        )  # fmt: skip
    if "single" not in fields:
        if "bulk" not in fields:
            reading.missing(place, "single")
        return None
    text = reading.text(fields["single"], ID_CHARS_MAX)
    if text is not None and not _CODE.fullmatch(text):
        reading.error(fields["single"], FindingCode.VALUE_IS_WRONG, "a code has visible ASCII characters only")
    return text
