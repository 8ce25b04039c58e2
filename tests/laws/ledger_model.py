"""What the ledger should do, in plain Python: every answer is looked up in all that stands; no sums are kept."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from makegood.money import returned_after

AMOUNT = 1_000
SUBJECTS, PERIODS = ("all", "payer", "device", "payee"), ("ever", "day", "hour")
Limit = Mapping[str, Any]  # subject, period, count_max, amount_max; those of a policy also labels


@dataclass
class Campaign:
    budget: int
    open: int  # of the budget, by stages; what is reserved and granted included
    limits: tuple[Limit, ...]
    label: str
    revision: str
    stopped: bool = False
    shares: int = 1


@dataclass
class Model:
    """Payments of 1,000; campaigns, limits across them, quotes and refunds."""

    campaigns: dict[str, Campaign] = field(default_factory=dict)
    shared: tuple[Limit, ...] = ()
    quotes: dict[str, dict[str, Any]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    refunds: dict[tuple[str, str], int] = field(default_factory=dict)

    # -- what stands -----------------------------------------------------------------------------------

    def standing(self, state: str, campaign: str) -> int:
        """Minor units of a campaign that quotes in a state hold."""
        mine = [q for q in self.quotes.values() if q["state"] == state and campaign in q["grants"]]
        return sum(q["grants"][campaign] - q["returned"][campaign] for q in mine)

    def used(self, campaign: str) -> int:
        """Reserved and granted."""
        return self.standing("reserved", campaign) + self.standing("captured", campaign)

    def money(self, campaign: str) -> tuple[int, int, int, int]:
        """(unopened, open, reserved, granted)."""
        one, held = self.campaigns[campaign], self.standing("reserved", campaign)
        return one.budget - one.open, one.open - self.used(campaign), held, self.standing("captured", campaign)

    def _counted(self, limit: Limit, campaigns: set[str], request: Mapping[str, Any]) -> tuple[int, int]:
        count = amount = 0
        for quote in self.quotes.values():
            if quote["state"] not in ("reserved", "captured") or _key(limit, quote) != _key(limit, request):
                continue
            found = [discount for name, discount in quote["grants"].items() if name in campaigns]
            count, amount = count + len(found), amount + sum(found)
        return count, amount

    # -- money calls -----------------------------------------------------------------------------------

    def reserve(self, request: Mapping[str, Any]) -> dict[str, Any]:
        payment, grants = request["payment_id"], {g["campaign"]: g for g in request["grants"]}
        if payment in self.closed:
            return {"outcome": "void"}
        if payment in self.quotes:
            return self._known(self.quotes[payment], request)
        old = self.quotes.get(request["supersedes"] or "", {"state": "none"})
        if old["state"] != "none" and (old["payer_ref"] is None or old["payer_ref"] != request["payer_ref"]):
            return {"outcome": "superseded_is_another_payers"}
        if old["state"] == "captured":
            return {"outcome": "superseded_is_captured"}
        before, old["state"] = old["state"], "released" if old["state"] == "reserved" else old["state"]
        quote = dict(request) | {"state": "reserved", "captured": 0, "refunded": 0, "claims": 1}
        quote |= {"grants": {}, "returned": dict.fromkeys(grants, 0)}
        self.quotes[payment] = quote
        refused = {}
        for name, grant in grants.items():
            why = self._by_state(name, grant) or self._by_limit(name, grant["discount"], request)
            if why:
                refused[name] = why
            else:
                quote["grants"][name] = grant["discount"]
        if refused or not grants:
            del self.quotes[payment]
        if refused:
            old["state"] = before
            return {"outcome": "refused", "refused": refused}
        return {"outcome": "reserved" if grants else "none"}

    def _known(self, quote: dict[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
        if quote["state"] == "void":
            return {"outcome": "void"}
        if quote["content_hash"] != request["content_hash"]:
            return {"outcome": "content_differs"}
        quote["claims"] += quote["state"] == "reserved"
        return {"outcome": "replayed"}

    def _by_state(self, name: str, grant: Mapping[str, Any]) -> str | None:
        one, discount = self.campaigns[name], grant["discount"]
        left = one.open - self.used(name)
        if one.revision != grant["revision"]:
            return "stale"
        if one.stopped:
            return "campaign_is_stopped"
        if one.budget - one.open + left < discount:
            return "budget_is_exhausted"
        return "stage_is_exhausted" if left < discount else None

    def _by_limit(self, name: str, discount: int, request: Mapping[str, Any]) -> str | None:
        found = []
        for limit, campaigns in self._limits_of(name):
            count, amount = self._counted(limit, campaigns, request)
            order = (SUBJECTS.index(limit["subject"]), PERIODS.index(limit["period"]))
            if _key(limit, request) is None:
                found.append((False, order, f"{limit['subject']}_is_unknown"))
            elif _above(count + 1, limit["count_max"]) or _above(amount + discount, limit["amount_max"]):
                found.append((True, order, _name_of(limit)))
        return min(found)[2] if found else None

    def _limits_of(self, name: str) -> Iterator[tuple[Limit, set[str]]]:
        yield from ((limit, {name}) for limit in self.campaigns[name].limits)
        for limit in self.shared:
            of = {n for n, c in self.campaigns.items() if limit["labels"] is None or c.label in limit["labels"]}
            if name in of:
                yield limit, of

    def capture(self, payment: str, captured: int | None, late: bool) -> dict[str, Any]:
        quote, amount = self.quotes.get(payment), AMOUNT if captured is None else captured
        if quote is None or quote["state"] == "void":
            return {"outcome": "not_found"}
        if quote["state"] == "captured":
            return {"outcome": "done" if quote["captured"] == amount else "content_differs"}
        if quote["state"] == "released":
            return {"outcome": "quote_is_released"}
        if quote["state"] == "expired" or (late and quote["short"]):
            return {"outcome": "quote_has_expired"}
        if amount > AMOUNT:
            return {"outcome": "capture_exceeds_quote"}
        quote |= {"state": "captured", "captured": amount}
        _return(quote, AMOUNT - amount)
        return {"outcome": "done"}

    def release(self, payment: str) -> dict[str, Any]:
        quote = self.quotes.get(payment)
        if quote is None or quote["state"] == "void":
            return {"outcome": "not_found"}
        if quote["state"] == "captured":
            return {"outcome": "quote_is_captured"}
        if quote["state"] == "reserved":
            quote["state"] = "released"
        return {"outcome": "done"}

    def refund(self, payment: str, name: str, amount: int) -> dict[str, Any]:
        quote = self.quotes.get(payment)
        if quote is None or quote["state"] == "void":
            return {"outcome": "not_found"}
        if (payment, name) in self.refunds:
            return {"outcome": "done" if self.refunds[payment, name] == amount else "content_differs"}
        if quote["state"] != "captured":
            return {"outcome": "quote_is_not_captured"}
        if quote["refunded"] + amount > AMOUNT:
            return {"outcome": "refund_exceeds_payment"}
        self.refunds[payment, name] = amount
        _return(quote, amount)
        return {"outcome": "done"}

    def disown(self, payment: str) -> bool:
        quote = self.quotes.get(payment)
        if quote is None:
            self.closed.add(payment)
            return True
        if quote["state"] != "reserved":
            return False
        quote["claims"] -= 1
        quote["state"] = "reserved" if quote["claims"] else "void"
        return not quote["claims"]

    def expire(self) -> int:
        due = [quote for quote in self.quotes.values() if quote["state"] == "reserved" and quote["short"]]
        for quote in due:
            quote["state"] = "expired"
        return len(due)


def explained(model: Model, calls: Sequence[Callable[[Model], bool]]) -> Model | None:
    """The model after all of these calls in an order where each gives what was seen, or None. A call says whether."""
    tried: set[frozenset[int]] = set()

    def go_on(now: Model, left: frozenset[int]) -> Model | None:
        if not left:
            return now
        tried.add(left)
        for n in sorted(left):
            rest = left - {n}
            if rest in tried:
                continue
            after = copy.deepcopy(now)
            if calls[n](after) and (found := go_on(after, rest)) is not None:
                return found
        return None

    return go_on(model, frozenset(range(len(calls))))


def _key(limit: Limit, request: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Whose count it is, on which day or hour; None where nobody named them."""
    who = b"" if limit["subject"] == "all" else request[f"{limit['subject']}_ref"]
    return None if who is None else (who, "" if limit["period"] == "ever" else request[limit["period"]])


def _above(value: int, most: int | None) -> bool:
    return most is not None and value > most


def _name_of(limit: Limit) -> str:
    if limit["subject"] != "all":
        return f"{limit['subject']}_limit_is_reached"
    return "limit_is_reached" if limit["period"] == "ever" else f"{limit['period']}_limit_is_reached"


def _return(quote: dict[str, Any], amount: int) -> None:
    quote["refunded"] += amount
    for name, discount in quote["grants"].items():
        quote["returned"][name] = returned_after(discount, quote["refunded"], AMOUNT)
