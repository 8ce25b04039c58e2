"""The values that a field of a payment has to be tried with: all that a boundary can tell apart."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

from tests.mutation.constants import Constants

from makegood.clock import MICROSECOND, SECOND, Instant
from makegood.domain.policy import Field, FieldType, PaymentSchema

ABSENT = object()
HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND
OTHER = "zz-other"
_INT64 = (-(2**63), 2**63 - 1)


def field_values(field: Field, constants: Constants) -> tuple[Any, ...]:
    """Every value that matters; the usual one first, ABSENT where the field may be missing."""
    match field.type:
        case FieldType.INT:
            values: Iterable[Any] = _numbers(field, constants.ints[field.name])
        case FieldType.BOOL:
            values = (False, True)
        case FieldType.STRING:
            values = _texts(field, constants.texts[field.name])
        case FieldType.STRINGS:
            values = _lists(field, constants)
        case FieldType.TIMESTAMP:
            values = [Instant(m + step) for m in constants.moments for step in (-MICROSECOND, 0, MICROSECOND)]
            values = values or [Instant.parse("2027-01-01T00:00:00Z")]
    return (*((ABSENT,) if field.optional else ()), *values)


def _numbers(field: Field, constants: set[int]) -> list[int]:
    low = field.min if field.min is not None else _INT64[0]
    high = field.max if field.max is not None else _INT64[1]
    quotients = {a // b for a, b in product(constants, repeat=2) if b}
    near = {value + step for value in constants | quotients for step in (-1, 0, 1)}
    return sorted({low, high, *(value for value in near if low <= value <= high)})


def _texts(field: Field, constants: set[str]) -> list[str]:
    joined = {a + b for a, b in product(constants, repeat=2)} if len(constants) <= 3 else set()
    if field.values is not None:
        others = [value for value in field.values if value not in constants]
        return [*(value for value in field.values if value in constants), *others[:1]]
    longest = field.max_length or 128
    longer = {value + OTHER for value in constants}
    return [value for value in (OTHER, *sorted(constants | joined | longer)) if 0 < len(value) <= longest]


def _lists(field: Field, constants: Constants) -> list[tuple[str, ...]]:
    most = field.max_items if field.max_items is not None else 10
    known = _texts(Field(field.name, FieldType.STRING, values=field.values, max_length=field.max_length),
                   constants.texts[field.name])  # fmt: skip
    chosen = [part for part in known if part in constants.texts[field.name] or part == OTHER]
    subsets = [subset for count in range(len(chosen) + 1) for subset in combinations(chosen, count)]
    sizes = {size + step for size in constants.sizes[field.name] for step in (-1, 0, 1)}
    padded = {
        subset + subset[-1:] * (size - len(subset))
        for subset in subsets if subset for size in sizes if size > len(subset)
    }  # fmt: skip
    return [entries for entries in (*subsets, *sorted(padded)) if len(entries) <= most]


def scene_values(schema: PaymentSchema, constants: Constants, agreed: Iterable[str]) -> tuple[str, ...]:
    """The scenes that anything names, and one that nothing does."""
    listed = schema.fields["scene"].values or ()
    named = [scene for scene in listed if scene in agreed or scene in constants.texts["scene"]]
    return (*named, *[scene for scene in listed if scene not in named][:1])


def moments(constants: Constants, window: tuple[int, int], edges: Iterable[int]) -> tuple[Instant, ...]:
    """Instants inside the window, one for each way in which hours, days, windows and constants can lie."""
    asked = {edge for moment in constants.moments for edge in (moment, moment + MICROSECOND)}
    ends = sorted({*window, *(edge for edge in {*edges, *asked} if window[0] < edge < window[1])})
    found: dict[Any, Instant] = {}
    for edge in ends:
        for moment in sorted({edge, edge - MICROSECOND, *_clock_moments(constants, edge)}):
            if window[0] <= moment < window[1]:
                found.setdefault((bisect_right(ends, moment), _readings(constants, moment)), Instant(moment))
    return tuple(sorted(found.values()))


def _clock_moments(constants: Constants, edge: int) -> Sequence[int]:
    """The hours of the week after a moment, each with the microsecond before it; none where nobody asks the time."""
    if not constants.accessors:
        return ()
    days = 7 if any(name.startswith("getDay") for name, _ in constants.accessors) else 1
    first = -(-edge // HOUR)
    return [(first + n) * HOUR - before for n in range(24 * days + 1) for before in (0, MICROSECOND)]


def _readings(constants: Constants, moment: int) -> tuple[Any, ...]:
    """What the expressions can read of the clock at a moment."""
    return tuple(_read(name, zone, moment) for name, zone in sorted(constants.accessors, key=str))


def _read(name: str, zone: str | None, moment: int) -> int:
    local = Instant(moment).local(zone or "UTC")
    match name:
        case "getHours":
            return local.hour
        case "getDayOfWeek":
            return local.isoweekday() % 7
    raise AssertionError(f"teach `moments` about {name}")


def base_fields(schema: PaymentSchema) -> Mapping[str, Any]:
    """A payment with every required field, as plain as can be, and a payer."""
    plain: dict[str, Any] = {"payer_id": "payer-1"}
    for name, field in schema.fields.items():
        if not field.optional:
            plain[name] = _plain(field)
    return plain


def _plain(field: Field) -> Any:
    match field.type:
        case FieldType.INT:
            return max(field.min if field.min is not None else 0, 0)
        case FieldType.BOOL:
            return False
        case FieldType.STRING:
            return field.values[0] if field.values else OTHER
        case FieldType.STRINGS:
            return ()
    return Instant.parse("2027-01-01T00:00:00Z")
