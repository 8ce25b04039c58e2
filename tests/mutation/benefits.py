"""Benefits as documents: of every kind, sized to what is spent at least; and the most that they take off."""

from random import Random

from tests.mutation.documents import Document, minor, money

KINDS = (
    "percent_off", "percent_off", "amount_off", "tiers", "tiers", "tiers", "random_off", "items", "items_fixed",
    "buy_x_get_y", "buy_x_get_y", "free_item",
)  # fmt: skip
WHERES = (
    'item.sku == "latte"',
    'item.sku in ["latte", "mocha"]',
    'item.sku.startsWith("bean-")',
    'has(item.category) && item.category == "cakes"',
    'item.category in ["cakes", "drinks"]',
    'item.sku != "voucher"',
    '!(item.sku == "voucher") && item.category == "drinks"',
)
RATES = ("5%", "10%", "12.5%", "17.5%", "20%", "30%")
BASIS_POINTS = 10_000


def benefit_of(rng: Random, spend: int) -> Document:
    """A benefit that takes at most a third, or its rate, off what is spent at least."""
    most = spend // 3
    match rng.choice(KINDS):
        case "percent_off":
            return {"percent_off": _share(rng)}
        case "amount_off":
            return {"amount_off": {"amount": money(rng.randint(1, most))}}
        case "tiers":
            return {"tiers": _tiers(rng, spend)}
        case "items":
            return {"items": {"where": rng.choice(WHERES), "percent_off": _share(rng)}}
        case "items_fixed":
            return {"items": {"where": rng.choice(WHERES), "amount_off": {"amount": money(rng.randint(1, most))}}}
        case "free_item":
            return {"free_item": {"where": rng.choice(WHERES), "up_to": money(rng.randint(1, most))}}
        case "buy_x_get_y":
            return {"buy_x_get_y": _deal(rng, most)}
    low = rng.randint(0, most)
    return {"random_off": {"min": money(low), "max": money(rng.randint(low, most))}}


def _share(rng: Random) -> Document:
    return {"rate": rng.choice(RATES), "up_to": money(rng.choice([500, 2_000, 5_000]))}


def _tiers(rng: Random, spend: int) -> list[Document]:
    """Steps that lie far apart, of nearly one rate, so that one that is reached too early shows."""
    percent = rng.randint(4, 30)
    steps = [(spend * times, spend * times * (percent + rng.randint(0, 2)) // 100) for times in (1, 3, 8)]
    return [{"spend": money(at), "off": money(off)} for at, off in steps[: rng.choice([1, 2, 2, 3, 3])]]


def _deal(rng: Random, most: int) -> Document:
    """Two and one of the same, or of each kind some: what is got is bounded by the deal, or by the cap alone."""
    buy, get = rng.sample(WHERES[:4], 2)
    if rng.random() < 0.6:
        counts, get, cap = rng.choice([(2, 1), (3, 1), (4, 2), (3, 2)]), buy, rng.choice([most, 5_000, 9_000])
    else:
        counts, cap = (rng.randint(1, 3), rng.randint(1, 2)), rng.randint(1, most)
    rate = rng.choice(["50%", "80%"]) if counts == (3, 2) else rng.choice(["50%", "100%", "100%"])
    return {
        "buy": {"where": buy, "count": counts[0]}, "get": {"where": get, "count": counts[1], "rate": rate},
        "up_to": money(cap),
    }  # fmt: skip


def most_off(benefit: Document) -> int:
    """The most that it takes off any payment, minor units."""
    match benefit:
        case {"tiers": tiers}:
            return minor(tiers[-1]["off"])
        case {"items": {"percent_off": {"up_to": most}} | {"amount_off": {"amount": most}}}:
            return minor(most)
    one = next(iter(benefit.values()))
    return minor(one.get("up_to") or one.get("amount") or one["max"])


def rate_agreed(rng: Random, benefit: Document) -> str:
    """The share of an amount that a brief for the benefit agrees to: no more than it takes, or with room."""
    match benefit:
        case {"percent_off": {"rate": rate}} | {"items": {"percent_off": {"rate": rate}}}:
            return str(rate)
        case {"tiers": tiers} if rng.random() < 0.7:
            points = max(-(-minor(tier["off"]) * BASIS_POINTS // minor(tier["spend"])) for tier in tiers)
            return f"{points / 100:.2f}%"
        case {"buy_x_get_y": {"buy": buy, "get": get}} if buy["where"] == get["where"] and rng.random() < 0.7:
            units, points = buy["count"] + get["count"], int(get["rate"].rstrip("%")) * 100
            return f"{-(-points * get['count'] // units) / 100:.2f}%"
    return rng.choice(["34%", "40%"])
