"""The benefit of a campaign: exactly one, and of a kind that this version can price."""

from collections.abc import Callable

from makegood.documents.hints import nearest
from makegood.documents.reading import Place, Reading
from makegood.documents.scalar import Kind
from makegood.domain.benefit import AmountOff, Benefit, PercentOff, RandomOff, Tier, Tiers
from makegood.findings import FindingCode
from makegood.limits import TIERS_MAX

UNSUPPORTED = ("cashback", "items", "buy_x_get_y", "free_item")


def read_benefit(reading: Reading, place: Place) -> Benefit | None:
    """What one payment receives."""
    known = (*_READERS, *UNSUPPORTED)
    if place.node.kind is not Kind.MAPPING:
        reading.wrong_type(place, "a mapping with one benefit", nearest("", known))
        return None
    fields = reading.fields(place, (), known, of="a benefit")
    if not fields:
        if not place.node.entries():
            reading.error(place, FindingCode.KEY_IS_MISSING, "names no benefit", nearest("", tuple(_READERS)))
        return None
    if len(fields) > 1:
        names = ", ".join(f"`{name}`" for name in fields)
        reading.error(place, FindingCode.VALUE_IS_WRONG, f"has {names}; a campaign has one benefit")
    found = [_read_one(reading, name, entry) for name, entry in fields.items()]
    return found[0]


def _read_one(reading: Reading, name: str, place: Place) -> Benefit | None:
    if name in UNSUPPORTED:
        reading.error(
            place, FindingCode.BENEFIT_IS_UNSUPPORTED, f"`{name}` cannot be priced by this version",
            f"use one of {', '.join(f'`{known}`' for known in _READERS)}",
        )  # fmt: skip
        return None
    benefit = _READERS[name](reading, place)
    if benefit is not None and _takes_nothing(benefit):
        reading.warning(place, FindingCode.VALUE_IS_WRONG, "takes nothing off any payment")
    return benefit


def _takes_nothing(benefit: Benefit) -> bool:
    match benefit:
        case PercentOff(rate=rate, up_to=up_to):
            return rate == 0 or up_to == 0
        case AmountOff(amount=amount):
            return amount == 0
        case RandomOff(max=most):
            return most == 0
        case Tiers():
            return False


def _percent_off(reading: Reading, place: Place) -> Benefit | None:
    fields = reading.fields(place, ("rate",), ("up_to",), of="`percent_off`")
    if fields is None:
        return None
    rate = reading.rate(fields["rate"]) if "rate" in fields else None
    if "up_to" not in fields:
        example = f'write `up_to: "50.00 {reading.currency or "CNY"}"`, the most that one payment may get'
        reading.missing(place, "up_to", FindingCode.CAP_IS_MISSING, example)
        return None
    up_to = reading.money(fields["up_to"])
    return PercentOff(rate, up_to) if rate is not None and up_to is not None else None


def _amount_off(reading: Reading, place: Place) -> Benefit | None:
    fields = reading.fields(place, ("amount",), of="`amount_off`")
    amount = reading.money(fields["amount"]) if fields is not None and "amount" in fields else None
    return AmountOff(amount) if amount is not None else None


def _tiers(reading: Reading, place: Place) -> Benefit | None:
    entries = reading.entries(place, TIERS_MAX, least=1)
    tiers: list[Tier] = []
    for entry in entries:
        tier = _tier(reading, entry)
        if tier is None:
            continue
        before = tiers[-1] if tiers else Tier(-1, 0)
        if tier.spend <= before.spend:
            reading.error(entry, FindingCode.TIERS_ARE_WRONG, "`spend` must be larger than in the tier before")
        if tier.off <= before.off:
            reading.error(entry, FindingCode.TIERS_ARE_WRONG, _too_little_off(bool(tiers)))
        tiers.append(tier)
    return Tiers(tuple(tiers)) if entries and len(tiers) == len(entries) else None


def _too_little_off(has_one_before: bool) -> str:
    return "`off` must be larger than in the tier before" if has_one_before else "`off` must be above zero"


def _tier(reading: Reading, place: Place) -> Tier | None:
    fields = reading.fields(place, ("spend", "off"), of="a tier")
    if fields is None:
        return None
    spend = reading.money(fields["spend"]) if "spend" in fields else None
    off = reading.money(fields["off"]) if "off" in fields else None
    return Tier(spend, off) if spend is not None and off is not None else None


def _random_off(reading: Reading, place: Place) -> Benefit | None:
    fields = reading.fields(place, ("min", "max"), of="`random_off`")
    if fields is None:
        return None
    low = reading.money(fields["min"]) if "min" in fields else None
    high = reading.money(fields["max"]) if "max" in fields else None
    if low is None or high is None:
        return None
    if high < low:
        reading.error(fields["max"], FindingCode.VALUE_IS_WRONG, "`max` is below `min`")
        return None
    return RandomOff(low, high)


_READERS: dict[str, Callable[[Reading, Place], Benefit | None]] = {
    "percent_off": _percent_off,
    "amount_off": _amount_off,
    "tiers": _tiers,
    "random_off": _random_off,
}
