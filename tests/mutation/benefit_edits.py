"""Edits of what a benefit takes off: its numbers, its kind, and the lines of a basket that it is for."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

from tests.mutation.benefits import WHERES
from tests.mutation.documents import Document, Trio, minor, money

from makegood.limits import MONEY_MINOR_MAX

Edit = Callable[[Random, Document, Trio], bool]


def moneys(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a money text below a value: its container and its key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in pairs:
        if isinstance(entry, str) and entry.endswith(" CNY"):
            yield value, key
        else:
            yield from moneys(entry)


def scale(container: Any, key: Any, times: int, by: int = 1) -> bool:
    """The money there times a fraction; whether it still is one."""
    changed = minor(container[key]) * times // by
    if changed <= MONEY_MINOR_MAX:
        container[key] = money(changed)
    return changed <= MONEY_MINOR_MAX


def _amounts(document: Document, times: int, by: int = 1) -> bool:
    """Everything that the benefit takes off, times a fraction."""
    places = [(box, key) for box, key in moneys(document["benefit"]) if key != "spend"]
    return all(scale(box, key, times, by) for box, key in places)


def amount_times_ten(rng: Random, document: Document, trio: Trio) -> bool:
    """Ten times as much off."""
    return _amounts(document, 10)


def amount_tenth(rng: Random, document: Document, trio: Trio) -> bool:
    """A tenth off."""
    return _amounts(document, 1, 10)


def spend_changed(rng: Random, document: Document, trio: Trio) -> bool:
    """A tier is reached earlier or later."""
    tiers = document["benefit"].get("tiers")
    return bool(tiers) and scale(rng.choice(tiers[-2:]), "spend", *rng.choice([(1, 2), (3, 4), (2, 1), (99, 100)]))


def cap_dropped(rng: Random, document: Document, trio: Trio) -> bool:
    """The cap is the largest amount: none at all."""
    capped = _holder(document["benefit"], "up_to")
    if capped is not None:
        capped["up_to"] = money(trio.policy.schema.amount_max)
    return capped is not None


def cap_widened(rng: Random, document: Document, trio: Trio) -> bool:
    """The cap is somewhat larger."""
    capped = _holder(document["benefit"], "up_to")
    if capped is not None:
        capped["up_to"] = money(minor(capped["up_to"]) + rng.choice([1, 100, 1_000, 20_000]))
    return capped is not None


def rate_raised(rng: Random, document: Document, trio: Trio) -> bool:
    """The rate is higher."""
    rated = _holder(document["benefit"], "rate")
    if rated is not None:
        rate = float(rated["rate"].rstrip("%"))
        rated["rate"] = f"{min(rng.choice([rate + 0.5, rate + 10, rate * 2, rate * 10]), 100):g}%"
    return rated is not None


def units_changed(rng: Random, document: Document, trio: Trio) -> bool:
    """Fewer to buy, more to get, or the two numbers swapped."""
    deal = document["benefit"].get("buy_x_get_y")
    if deal is None:
        return False
    bought, got = deal["buy"]["count"], deal["get"]["count"]
    deal["buy"]["count"], deal["get"]["count"] = rng.choice(
        [(got, bought), (1, got), (bought, got + 1), (bought + 1, got)]
    )
    return True


def where_changed(rng: Random, document: Document, trio: Trio) -> bool:
    """It is for other lines, or not for the lines that have to be bought."""
    holder = _holder(document["benefit"], "where", rng.random() < 0.5)
    if holder is not None:
        holder["where"] = rng.choice(WHERES)
    return holder is not None


def _holder(value: Any, key: str, last: bool = False) -> Document | None:
    """The first mapping at or below the value that has the key, or the last one."""
    if not isinstance(value, dict):
        return None
    found = [one for one in (_holder(entry, key, last) for entry in value.values()) if one is not None]
    found = [value, *found] if key in value else found
    return (found[-1] if last else found[0]) if found else None


def type_changed(rng: Random, document: Document, trio: Trio) -> bool:
    """Another template: the numbers of one kind of benefit in another kind."""
    amounts = [minor(box[key]) for box, key in moneys(document["benefit"]) if key != "spend"]
    most = max(*amounts, 1)
    where, up_to = rng.choice(WHERES), money(most)
    share = {"rate": rng.choice(["5%", "20%", "90%"]), "up_to": up_to}
    off = rng.choice([{"percent_off": share}, {"amount_off": {"amount": up_to}}])
    buy, get = {"where": where, "count": 1}, {"where": rng.choice([where, *WHERES]), "count": 1, "rate": "100%"}
    others: Mapping[str, Document] = {
        "percent_off": {"percent_off": share},
        "amount_off": {"amount_off": {"amount": up_to}},
        "tiers": {"tiers": [{"spend": money(rng.choice([most, most * 4])), "off": up_to}]},
        "random_off": {"random_off": {"min": money(min(amounts)), "max": up_to}},
        "items": {"items": {"where": where, **off}},
        "free_item": {"free_item": {"where": where, "up_to": up_to}},
        "buy_x_get_y": {"buy_x_get_y": {"buy": buy, "get": get, "up_to": up_to}},
    }
    document["benefit"] = others[rng.choice([kind for kind in others if kind not in document["benefit"]])]
    return True


BENEFIT_EDITS: Mapping[str, Edit] = {
    edit.__name__: edit
    for edit in (
        amount_times_ten, amount_tenth, spend_changed, cap_dropped, cap_widened, rate_raised, units_changed,
        where_changed, type_changed,
    )
}  # fmt: skip
