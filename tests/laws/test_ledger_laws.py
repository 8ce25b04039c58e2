"""The ledger against a plain Python model: any order of calls gives the same outcomes and the same money."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.conftest import make_live, money_of, request_for

from makegood.money import returned_after
from makegood.services.access import create_house
from makegood.services.platform import Platform
from makegood.store.verify import verify

BUDGET, PER_PAYER = 1_000, 3

PAYMENTS = st.integers(0, 5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), PAYMENTS, st.integers(1, 450), st.integers(0, 1)),
        st.tuples(st.just("capture"), PAYMENTS, st.one_of(st.none(), st.integers(1, 1_000))),
        st.tuples(st.just("release"), PAYMENTS),
        st.tuples(st.just("refund"), PAYMENTS, st.integers(0, 2), st.integers(1, 1_000)),
    ),
    min_size=1,
    max_size=14,
)


@dataclass
class Model:
    """What the ledger should do, in a few lines: amounts are 1,000; two payers; one campaign."""

    quotes: dict[int, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[tuple[int, int], int] = field(default_factory=dict)
    left: int = BUDGET
    counts: dict[int, int] = field(default_factory=dict)

    def reserve(self, payment: int, discount: int, payer: int) -> str:
        known = self.quotes.get(payment)
        if known is not None:
            return "replayed" if known["content"] == (discount, payer) else "content_differs"
        if discount > self.left or self.counts.get(payer, 0) >= PER_PAYER:
            return "refused"
        self.left -= discount
        self.counts[payer] = self.counts.get(payer, 0) + 1
        self.quotes[payment] = {
            "content": (discount, payer), "state": "reserved", "refunded": 0, "returned": 0, "captured": 0,
        }  # fmt: skip
        return "reserved"

    def capture(self, payment: int, captured: int | None) -> str:
        quote, amount = self.quotes.get(payment), captured or 1_000
        if quote is None:
            return "not_found"
        if quote["state"] == "released":
            return "quote_is_released"
        if quote["state"] == "captured":
            return "done" if quote["captured"] == amount else "content_differs"
        quote |= {"state": "captured", "captured": amount}
        self._return(quote, 1_000 - amount)
        return "done"

    def release(self, payment: int) -> str:
        quote = self.quotes.get(payment)
        if quote is None:
            return "not_found"
        if quote["state"] == "captured":
            return "quote_is_captured"
        if quote["state"] == "reserved":
            quote["state"] = "released"
            self.left += quote["content"][0]
            self.counts[quote["content"][1]] -= 1
        return "done"

    def refund(self, payment: int, name: int, amount: int) -> str:
        quote = self.quotes.get(payment)
        if quote is None:
            return "not_found"
        if (payment, name) in self.refunds:
            return "done" if self.refunds[payment, name] == amount else "content_differs"
        if quote["state"] != "captured":
            return "quote_is_not_captured"
        if quote["refunded"] + amount > 1_000:
            return "refund_exceeds_payment"
        self.refunds[payment, name] = amount
        self._return(quote, amount)
        return "done"

    def _return(self, quote: dict[str, Any], amount: int) -> None:
        quote["refunded"] += amount
        due = returned_after(quote["content"][0], quote["refunded"], 1_000)
        self.left += due - quote["returned"]
        quote["returned"] = due

    @property
    def money(self) -> tuple[int, int, int, int]:
        held = sum(q["content"][0] for q in self.quotes.values() if q["state"] == "reserved")
        kept = sum(q["content"][0] - q["returned"] for q in self.quotes.values() if q["state"] == "captured")
        return 0, self.left, held, kept


async def _play(platform: Platform, steps: list[Any], number: int) -> None:
    house = await create_house(platform, f"model-{number}", live=False)
    limits = ({"subject": "payer", "period": "ever", "count_max": PER_PAYER},)
    revision = await make_live(platform, house, "spring", BUDGET, limits=limits)
    model, pool = Model(), platform.store.pool
    for step in steps:
        match step:
            case "reserve", payment, discount, payer:
                content = f"{discount:032x}{payer:032x}"
                request = request_for(
                    f"p{payment}",
                    {"spring": (revision, discount)},
                    amount=1_000,
                    content_hash=bytes.fromhex(content),
                    payer_ref=payer.to_bytes(32),
                )
                outcome = (await platform.store.ledger.reserve(house.id, "till", [request]))[0]
            case "capture", payment, captured:
                outcome = await platform.store.ledger.capture(house.id, "till", f"qte_p{payment}", None, captured, None)
            case "release", payment:
                outcome = await platform.store.ledger.release(house.id, "till", f"qte_p{payment}")
            case "refund", payment, name, amount:
                outcome = await platform.store.ledger.refund(house.id, "till", f"p{payment}", f"r{name}", amount)
            case _:
                raise AssertionError(step)
        assert outcome["outcome"] == getattr(model, step[0])(*step[1:]), step
        assert await money_of(platform, house, "spring") == model.money, step
    assert (await verify(pool, house.id)).violations == ()


_houses = iter(range(1_000_000))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
async def test_the_ledger_does_what_the_model_does(platform: Platform, steps: list[Any]) -> None:
    await _play(platform, steps, next(_houses))
