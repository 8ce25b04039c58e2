"""Terms that conditions are made of, written for the attributes that a policy declares."""

from collections.abc import Sequence
from random import Random

CITIES = ("Hangzhou", "Shanghai", "Hangu", "Ningbo")
SCENES = ("in_store_qr", "online", "transfer", "card_repayment", "bill", "rent", "transit")
SEGMENTS = ("gold", "vip-1", "blocked")
ATTRIBUTES = {
    "city": {"type": "string", "max_length": 64},
    "items_count": {"type": "int", "min": 0, "max": 10_000},
    "payer_is_new": {"type": "bool"},
    "payer_segments": {"type": "list(string)", "max_items": 20, "max_length": 32},
    "store_type": {"type": "string", "values": ["chain", "independent", "kiosk"], "optional": True},
    "age_days": {"type": "int", "min": 0, "max": 40_000, "optional": True},
    "is_member": {"type": "bool", "optional": True},
}


def listed(texts: Sequence[str]) -> str:
    """A CEL list of texts."""
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"


def scene_term(rng: Random, scenes: Sequence[str]) -> str:
    """The payment is in one of the scenes."""
    if len(scenes) == 1 and rng.random() < 0.7:
        return f'payment.scene == "{scenes[0]}"'
    if rng.random() < 0.4:
        return "(" + " || ".join(f'payment.scene == "{scene}"' for scene in scenes) + ")"
    return f"payment.scene in {listed(scenes)}"


def amount_terms(rng: Random, low: int, amount_max: int) -> list[str]:
    """The payment is of at least that, and sometimes of at most something else."""
    terms = [f"payment.amount >= {low}" if rng.random() < 0.7 else f"payment.amount > {low - 1}"]
    if rng.random() < 0.25:
        terms.append(f"payment.amount {rng.choice(['<', '<='])} {rng.randrange(2 * low, max(amount_max, 2 * low) + 1)}")
    return terms


def other_terms(rng: Random, zone: str, attributes: Sequence[str]) -> list[str]:
    """Up to three terms about anything else."""
    known = [terms for name, terms in _TERMS.items() if name in attributes or name not in ATTRIBUTES]
    chosen = rng.sample(known, rng.choice([0, 1, 1, 2, 2, 3]))
    return [rng.choice(terms).replace("ZONE", zone) for terms in chosen]


_TERMS = {
    "city": (
        'payment.city == "Hangzhou"',
        'payment.city in ["Hangzhou", "Ningbo"]',
        'payment.city.startsWith("Hang")',
        'payment.city != "Shanghai"',
        '!(payment.city in ["Shanghai", "Ningbo"])',
        '(payment.city == "Hangzhou" || payment.city.endsWith("bo"))',
    ),
    "items_count": (
        "payment.items_count >= 2",
        "payment.items_count > 1 && payment.items_count <= 20",
        "payment.items_count in [1, 2, 5]",
        "100 / payment.items_count >= 5",
        "(payment.items_count == 0 || 60 / payment.items_count < 7)",
        "!(payment.items_count < 3)",
    ),
    "payer_is_new": ("payment.payer_is_new", "!payment.payer_is_new", "(payment.payer_is_new ? true : true)"),
    "payer_segments": (
        '"gold" in payment.payer_segments',
        '!("blocked" in payment.payer_segments)',
        'payment.payer_segments.exists(s, s == "gold" || s.startsWith("vip-"))',
        'payment.payer_segments.all(s, s != "blocked")',
        "size(payment.payer_segments) >= 2",
    ),
    "store_type": (
        'has(payment.store_type) && payment.store_type == "chain"',
        '(!has(payment.store_type) || payment.store_type != "kiosk")',
        "has(payment.store_type)",
    ),
    "age_days": (
        "has(payment.age_days) && payment.age_days >= 30",
        "(!has(payment.age_days) || payment.age_days > 7)",
    ),
    "is_member": ("has(payment.is_member) && payment.is_member", "!(has(payment.is_member) && payment.is_member)"),
    "hours": (
        'payment.occurred_at.getHours("ZONE") >= 9 && payment.occurred_at.getHours("ZONE") < 21',
        '!(payment.occurred_at.getHours("ZONE") < 6)',
        'payment.occurred_at.getHours("ZONE") in [11, 12, 18]',
    ),
    "days": (
        'payment.occurred_at.getDayOfWeek("ZONE") in [0, 6]',
        'payment.occurred_at.getDayOfWeek("ZONE") != 1',
    ),
    "moments": ('payment.occurred_at < timestamp("2027-02-10T00:00:00Z")',),
    "channel": ('payment.channel in ["app", "mini_program"]', 'payment.channel != "web"', 'payment.channel == "app"'),
    "merchant": (
        'has(payment.merchant_category) && payment.merchant_category.startsWith("58")',
        '!(has(payment.merchant_category) && payment.merchant_category == "7995")',
    ),
    "device": ("has(payment.device_id)",),
}
