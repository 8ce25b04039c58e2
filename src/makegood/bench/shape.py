"""Campaigns of one shape, and payments that meet them: everything drawn from a seed."""

from dataclasses import dataclass, replace
from random import Random

from makegood.clock import Instant
from makegood.domain.benefit import AmountOff, PercentOff
from makegood.domain.brief import Share, Window
from makegood.domain.campaign import Campaign, Stacking
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.payment import Payment, parse_payment
from makegood.domain.policy import (
    CORE_FIELDS,
    ApprovalTier,
    Field,
    FieldType,
    Funder,
    Label,
    PaymentSchema,
    Policy,
    StageBounds,
    WorstBounds,
)

NOW = Instant.parse("2027-02-03T12:00:00+08:00")
CHANNELS = ("app", "mini_program", "web")
CITIES = tuple(f"city-{number:02}" for number in range(30))

WINDOW = Window(Instant.parse("2027-02-01T00:00:00+08:00"), Instant.parse("2027-02-15T00:00:00+08:00"))
BUDGET = 1_000_000_000
_CORE = {field.name: field for field in CORE_FIELDS}
_SCHEMA = PaymentSchema(
    "CNY",
    {
        **_CORE,
        "amount": replace(_CORE["amount"], min=1, max=50_000_000),
        "scene": replace(_CORE["scene"], values=("in_store_qr", "online", "transfer")),
        "channel": replace(_CORE["channel"], values=CHANNELS),
        "city": Field("city", FieldType.STRING, max_length=64),
        "payer_is_new": Field("payer_is_new", FieldType.BOOL),
    },
)
POLICY = Policy(
    "bench", "CNY", "Asia/Shanghai", _SCHEMA, 1_000,
    {"platform_discount": Label("platform_discount", {"zh-CN": "平台优惠", "en": "Platform discount"})},
    {"platform": Funder("platform")}, (), StageBounds(BUDGET, 10), WorstBounds(10**12, 10**14),
    (ApprovalTier(None, 1),),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shaped:
    """One campaign in parts, so that each contestant can be given it in its own language."""

    number: int
    spend: int
    channel: str
    cities: tuple[str, ...]
    benefit: PercentOff | AmountOff
    priority: int

    @property
    def id(self) -> str:
        """The id of the campaign; ids sort as numbers do."""
        return f"c{self.number:05}"


def draw_campaigns(count: int, seed: int) -> tuple[Shaped, ...]:
    """Campaigns that ask for an amount, a channel, one of three cities and a payer who is not new.

    Half of them take off a rate up to a cap, half a fixed amount, always less than the amount they ask for.
    """
    chance = Random(seed)  # noqa: S311 - a benchmark
    return tuple(_draw(number, chance) for number in range(count))


def draw_payments(count: int, seed: int) -> tuple[Payment, ...]:
    """Payments with a median near 100 yuan; a tenth are of new payers."""
    chance = Random(seed + 1)  # noqa: S311 - a benchmark
    return tuple(parse_payment(_raw(number, chance), _SCHEMA) for number in range(count))


def campaign_of(one: Shaped) -> Campaign:
    """The campaign as Makegood reads it, with a limit of three a payer and day."""
    cities = ", ".join(f'"{city}"' for city in one.cities)
    when = (
        f'payment.amount >= {one.spend} && payment.channel == "{one.channel}"'
        f" && payment.city in [{cities}] && !payment.payer_is_new"
    )
    return Campaign(
        one.id, {"en": one.id}, "platform_discount", (Share("platform", 10_000),), WINDOW, when, one.benefit, BUDGET,
        (Limit(Subject.PAYER, Period.DAY, count_max=3),), (BUDGET,), Stacking("instant_discount", one.priority),
    )  # fmt: skip


def _draw(number: int, chance: Random) -> Shaped:
    spend = chance.randrange(10, 300) * 100
    benefit: PercentOff | AmountOff
    if number % 2:
        benefit = PercentOff(chance.randrange(2, 20) * 100, chance.randrange(2, 40) * 100)
    else:
        benefit = AmountOff(chance.randrange(1, spend // 100) * 50)
    cities = tuple(chance.sample(CITIES, 3))
    return Shaped(number, spend, chance.choice(CHANNELS), cities, benefit, chance.randrange(5))


def _raw(number: int, chance: Random) -> dict[str, object]:
    return {
        "payment_id": f"payment-{number}",
        "occurred_at": NOW.text(),
        "payer_id": f"payer-{chance.randrange(1_000)}",
        "payee_id": "tea-house",
        "amount": min(1 + int(chance.lognormvariate(9.2, 1)), 50_000_000),
        "currency": "CNY",
        "scene": "in_store_qr",
        "channel": chance.choice(CHANNELS),
        "instrument": "balance",
        "city": chance.choice(CITIES),
        "payer_is_new": chance.random() < 0.1,
    }
