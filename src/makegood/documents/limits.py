"""Limits: the budget and caps of a campaign, and the caps of a policy across campaigns.

Caps are by count and amount, in all and per payer, device and payee.
"""

from collections.abc import Collection

from makegood.documents.reading import Fields, Place, Reading
from makegood.documents.scalar import Kind
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.policy import SharedLimit
from makegood.findings import FindingCode
from makegood.limits import GRANTS_MAX, SHARED_LIMITS_MAX

SUBJECT_KEYS = {"per_payer": Subject.PAYER, "per_device": Subject.DEVICE, "per_payee": Subject.PAYEE}
PERIOD_KEYS = {"per_day": Period.DAY, "per_hour": Period.HOUR}
KEYS = ("budget", "count", *PERIOD_KEYS, *SUBJECT_KEYS)
CAPS = ("count", "amount", *PERIOD_KEYS, *SUBJECT_KEYS)  # Of a limit across campaigns, which has no budget.
REQUIRED = ("budget", "per_payer")


def read_limits(reading: Reading, place: Place) -> tuple[int | None, tuple[Limit, ...]]:
    """Budget in minor units, and every other limit: subject by subject, the longest period first."""
    fields = reading.fields(place, (), KEYS, of="`limits`")
    if fields is None:
        return None, ()
    for key in REQUIRED:
        if key not in fields:
            missing_limit(reading, place, key)
    budget = reading.money(fields["budget"]) if "budget" in fields else None
    limits = [_total(reading, fields["count"])] if "count" in fields else []
    limits += _narrower(reading, fields)
    return budget, tuple(limit for limit in limits if limit is not None)


def read_shared_limits(reading: Reading, place: Place, labels: Collection[str] | None) -> tuple[SharedLimit, ...]:
    """The limits of a policy across campaigns, each with an id of its own. `labels` None: they could not be read."""
    found: dict[str, SharedLimit] = {}
    for entry in reading.entries(place, SHARED_LIMITS_MAX):
        fields = reading.fields(entry, ("id",), ("labels", *CAPS), of="a limit across campaigns")
        if fields is None:
            continue
        identifier = reading.identifier(fields["id"]) if "id" in fields else None
        listed = _covered(reading, fields["labels"], labels) if "labels" in fields else None
        limit = _only_limit(reading, entry, fields)
        if identifier is None or limit is None:
            continue
        if identifier in found:
            reading.error(entry, FindingCode.ID_IS_DUPLICATE, f"another limit has the id `{identifier}`")
        found[identifier] = SharedLimit(identifier, limit, listed)
    return tuple(found.values())


def missing_limit(reading: Reading, place: Place, key: str) -> None:
    """Add that a limit that nothing may go without is not there."""
    currency = reading.currency or "CNY"
    budget, per_payer = f'"1000000.00 {currency}"', f'{{count: 3, amount: "100.00 {currency}"}}'
    examples = {
        "budget": budget,
        "per_payer": per_payer,
        "limits": f"{{budget: {budget}, per_payer: {per_payer}}}",
    }
    hint = f"write `{key}: {examples[key]}`; there is no unlimited"
    reading.missing(place, key, FindingCode.LIMIT_IS_MISSING, hint)


def _covered(reading: Reading, place: Place, labels: Collection[str] | None) -> tuple[str, ...]:
    """Labels of the policy, at least one, each once."""
    found: dict[str, None] = {}
    for entry in reading.entries(place, least=1):
        label = reading.name(entry, labels, "label")
        if label is None:
            continue
        if label in found:
            reading.error(entry, FindingCode.VALUE_IS_WRONG, f"`{label}` is listed twice")
        found[label] = None
    return tuple(found)


def _only_limit(reading: Reading, place: Place, fields: Fields) -> Limit | None:
    """The one limit of an entry across campaigns, in the keys of a campaign's own limits."""
    found = [*_ever(reading, fields, Subject.ALL), *_narrower(reading, fields)]
    if len(found) > 1:
        message = f"holds {len(found)} limits; one entry is one limit with an id of its own"
        reading.error(place, FindingCode.VALUE_IS_WRONG, message, "write an entry for each")
    if not any(key in fields for key in CAPS):
        _says_nothing(reading, place)
    return found[0] if found else None


def _total(reading: Reading, place: Place) -> Limit | None:
    count = reading.whole(place, 0, GRANTS_MAX)
    return Limit(Subject.ALL, Period.EVER, count_max=count) if count is not None else None


def _narrower(reading: Reading, fields: Fields) -> list[Limit | None]:
    """Everything of a day, an hour, a payer, a device or a payee: subject by subject, the longest period first."""
    limits = _periods(reading, fields, Subject.ALL)
    for key, subject in SUBJECT_KEYS.items():
        if key in fields:
            limits += _subject(reading, fields[key], subject, key)
    return limits


def _periods(reading: Reading, fields: Fields, subject: Subject) -> list[Limit | None]:
    return [_cap(reading, fields[key], subject, period) for key, period in PERIOD_KEYS.items() if key in fields]


def _subject(reading: Reading, place: Place, subject: Subject, key: str) -> list[Limit | None]:
    if place.node.kind is not Kind.MAPPING:
        return [_cap(reading, place, subject, Period.EVER)]
    fields = reading.fields(place, (), ("count", "amount", *PERIOD_KEYS), of=f"`{key}`")
    if fields is None:
        return []
    if not fields:
        _says_nothing(reading, place)
        return []
    return [*_ever(reading, fields, subject), *_periods(reading, fields, subject)]


def _ever(reading: Reading, fields: Fields, subject: Subject) -> list[Limit | None]:
    return [_pair(reading, fields, subject, Period.EVER)] if "count" in fields or "amount" in fields else []


def _cap(reading: Reading, place: Place, subject: Subject, period: Period) -> Limit | None:
    if place.node.kind is not Kind.MAPPING:
        amount = reading.money(place)
        return Limit(subject, period, amount_max=amount) if amount is not None else None
    fields = reading.fields(place, (), ("count", "amount"), of="a limit")
    if fields:
        return _pair(reading, fields, subject, period)
    _says_nothing(reading, place)
    return None


def _pair(reading: Reading, fields: Fields, subject: Subject, period: Period) -> Limit | None:
    count = reading.whole(fields["count"], 0, GRANTS_MAX) if "count" in fields else None
    amount = reading.money(fields["amount"]) if "amount" in fields else None
    return Limit(subject, period, count, amount) if count is not None or amount is not None else None


def _says_nothing(reading: Reading, place: Place) -> None:
    reading.error(place, FindingCode.LIMIT_IS_MISSING, "gives no `count` and no `amount`: that would be unlimited")
