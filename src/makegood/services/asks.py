"""A payment as it is asked about: parsed, timed, hashed, with the slots it counts against."""

import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeGuard

from makegood.clock import MICROSECOND, SECOND, Instant
from makegood.domain.limit import Balance
from makegood.domain.payment import Payment, parse_payment
from makegood.domain.quote import Refusal
from makegood.domain.text import checked_text
from makegood.engine.snapshot import Snapshot
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.guard.line import Place
from makegood.guard.numbers import Numbers
from makegood.limits import CLOCK_SKEW_SECONDS_MAX, ID_CHARS_MAX
from makegood.services.access import House
from makegood.services.answers import canonical_bytes
from makegood.services.guarded import Seen
from makegood.services.live import LiveSet, snapshot_for
from makegood.store.ledger import Slots

_ENVELOPE = ("supersedes", "explain")


@dataclass(slots=True)
class Ask:
    """One payment on its way to an answer. `excluded` and `seen` grow as the store refuses."""

    house: House
    raw: dict[str, Any]
    payment: Payment
    now: Instant
    snapshot: Snapshot
    supersedes: str | None
    explain: bool
    numbers: Mapping[str, Numbers] = field(default_factory=dict)  # Of the same live set as the snapshot.
    place: Place[Seen] | None = None  # Where it is in the line of the payments to be watched.
    quote_id: str = ""  # Once something is asked of the store: most payments are granted nothing.
    excluded: dict[str, Refusal] = field(default_factory=dict)
    seen: dict[str, Balance] = field(default_factory=dict)
    zone: str = field(init=False)  # Of its first snapshot: the day it counts on does not move while it is asked about.

    def __post_init__(self) -> None:
        self.zone = self.snapshot.zone

    @property
    def content_hash(self) -> bytes:
        """What a retry of it must repeat. Made when asked for."""
        return content_hash(self.house, self.raw)

    @property
    def slots(self) -> Slots:
        """Whose limits it counts against, and when. Made when asked for: most payments are granted nothing."""
        payment, reference = self.payment, self.house.reference
        day, hour = _day_and_hour(self.now // SECOND, self.zone)
        return Slots(
            payer=reference("payer", payment.payer_id) if payment.payer_id is not None else None,
            device=reference("device", payment.device_id) if payment.device_id is not None else None,
            payee=reference("payee", payment.payee_id),
            day=day,
            hour=hour,
        )


def read_ask(house: House, known: LiveSet, raw: Any) -> Ask:
    """The ask in a request's decoded JSON. Raises Problem with every place that is wrong."""
    envelope, body = open_envelope(raw)
    snapshot = snapshot_for(known, body.get("currency") if isinstance(body, dict) else None)
    payment = parse_payment(body, snapshot.policy.schema)
    now = _decision_time(house, known, payment)
    return Ask(
        house=house,
        raw=raw,
        payment=payment,
        now=now,
        snapshot=snapshot,
        supersedes=envelope.get("supersedes"),
        explain=envelope.get("explain", False),
        numbers=known.guarded.numbers.get(payment.currency, {}),
    )


def new_quote_id() -> str:
    """An id that nobody can guess and that sorts by time: the store writes its newest pages only."""
    return f"qte_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


@lru_cache(maxsize=256)
def _day_and_hour(second: int, zone: str) -> tuple[str, str]:
    """The local day and hour of a second since the epoch: many payments share one."""
    local = Instant(second * SECOND).local(zone)
    # The offset keeps the two hours apart that a clock set back repeats.
    return local.strftime("%Y-%m-%d"), local.strftime("%Y-%m-%dT%H%z")


def content_hash(house: House, raw: dict[str, Any]) -> bytes:
    """What a retry must repeat: everything but the clock and the wish for an explanation. Keyed: it hides the payer."""
    content = {key: value for key, value in raw.items() if key not in ("occurred_at", "explain") and value is not None}
    return hmac.digest(house.payer_key, canonical_bytes(content), "sha256")


def open_envelope(raw: Any) -> tuple[dict[str, Any], Any]:
    """The envelope of a request (`supersedes`, `explain`) and the payment in it. Raises Problem with every place."""
    if not isinstance(raw, dict) or raw.keys().isdisjoint(_ENVELOPE):
        return {}, raw
    errors = []
    supersedes, explain = raw.get("supersedes"), raw.get("explain", False)
    if supersedes is not None and not is_id(supersedes):
        errors.append(FieldError("/supersedes", f"must be a payment id of at most {ID_CHARS_MAX} characters"))
    if supersedes is not None and supersedes == raw.get("payment_id"):
        errors.append(FieldError("/supersedes", "is the payment itself"))
    if not isinstance(explain, bool):
        errors.append(FieldError("/explain", "must be true or false"))
    if errors:
        raise Problem(ProblemCode.REQUEST_IS_INVALID, "the request is not well formed", errors=tuple(errors))
    return {key: raw[key] for key in _ENVELOPE if key in raw}, {k: v for k, v in raw.items() if k not in _ENVELOPE}


def is_id(value: Any) -> TypeGuard[str]:
    """Whether it can be the id of a payment."""
    try:
        return isinstance(value, str) and bool(checked_text(value, ID_CHARS_MAX))
    except ValueError:
        return False


def _decision_time(house: House, known: LiveSet, payment: Payment) -> Instant:
    if not house.live:
        return payment.occurred_at
    now = known.store_clock()
    if abs(now - payment.occurred_at) > CLOCK_SKEW_SECONDS_MAX * SECOND:
        raise Problem(
            ProblemCode.CLOCK_IS_OFF,
            f"the payment says {payment.occurred_at.text()}, the store's clock says {now.text()}",
            errors=(FieldError("/occurred_at", f"is more than {CLOCK_SKEW_SECONDS_MAX} seconds off"),),
            hint="set the clock of the calling machine",
        )
    return Instant(now // MICROSECOND * MICROSECOND)
