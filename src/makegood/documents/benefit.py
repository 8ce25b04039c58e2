"""The benefit of a campaign: exactly one, and of a kind that this version can price."""

from collections.abc import Callable

from makegood.documents.basket import read_buy_x_get_y, read_free_item, read_items
from makegood.documents.hints import nearest
from makegood.documents.off import read_amount_off, read_percent_off
from makegood.documents.reading import Place, Reading
from makegood.documents.scalar import Kind
from makegood.domain.benefit import (
    AmountOff,
    Benefit,
    BuyXGetY,
    FreeItem,
    ItemsOff,
    PercentOff,
    RandomOff,
    Tier,
    Tiers,
)
from makegood.findings import FindingCode
from makegood.limits import TIERS_MAX
from makegood.rules.environment import Environment

UNSUPPORTED = {"cashback": "its money moves after the payment; to give it at once, use `percent_off` or `amount_off`"}


def read_benefit(reading: Reading, place: Place, line: Environment | None) -> Benefit | None:
    """What one payment receives. Conditions on lines of a basket are checked where there is an environment for them."""
    known = (*_PRICED, *UNSUPPORTED)
    if place.node.kind is not Kind.MAPPING:
        reading.wrong_type(place, "a mapping with one benefit", nearest("", known))
        return None
    fields = reading.fields(place, (), known, of="a benefit")
    if not fields:
        if not place.node.entries():
            reading.error(place, FindingCode.KEY_IS_MISSING, "names no benefit", nearest("", _PRICED))
        return None
    if len(fields) > 1:
        names = ", ".join(f"`{name}`" for name in fields)
        reading.error(place, FindingCode.VALUE_IS_WRONG, f"has {names}; a campaign has one benefit")
    found = [_read_one(reading, name, entry, line) for name, entry in fields.items()]
    return found[0]


def _read_one(reading: Reading, name: str, place: Place, line: Environment | None) -> Benefit | None:
    if name in UNSUPPORTED:
        message = f"`{name}` cannot be priced by this version"
        reading.error(place, FindingCode.BENEFIT_IS_UNSUPPORTED, message, UNSUPPORTED[name])
        return None
    benefit = _LINE_READERS[name](reading, place, line) if name in _LINE_READERS else _READERS[name](reading, place)
    if benefit is not None and _takes_nothing(benefit):
        reading.warning(place, FindingCode.VALUE_IS_WRONG, "takes nothing off any payment")
    return benefit


def _takes_nothing(benefit: Benefit) -> bool:
    match benefit:
        case PercentOff(rate=rate, up_to=up_to) | BuyXGetY(rate=rate, up_to=up_to):
            return rate == 0 or up_to == 0
        case FreeItem(up_to=up_to):
            return up_to == 0
        case ItemsOff(off=off):
            return _takes_nothing(off)
        case AmountOff(amount=amount):
            return amount == 0
        case RandomOff(max=most):
            return most == 0
        case Tiers():
            return False


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
    "percent_off": read_percent_off,
    "amount_off": read_amount_off,
    "tiers": _tiers,
    "random_off": _random_off,
}
_LINE_READERS: dict[str, Callable[[Reading, Place, Environment | None], Benefit | None]] = {
    "items": read_items,
    "buy_x_get_y": read_buy_x_get_y,
    "free_item": read_free_item,
}
_PRICED = (*_READERS, *_LINE_READERS)
