"""A payment, parsed strictly against the policy's schema, with every mistake collected."""

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from makegood.clock import MICROSECOND, Instant
from makegood.domain.policy import Field, FieldType, PaymentSchema
from makegood.domain.text import checked_text, has_no_text
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.limits import CODES_MAX, ERRORS_REPORTED_MAX, ID_CHARS_MAX, PAYMENT_YEAR_MAX, PAYMENT_YEAR_MIN

_EARLIEST = Instant.parse(f"{PAYMENT_YEAR_MIN}-01-01T00:00:00Z")
_LATEST = Instant.parse(f"{PAYMENT_YEAR_MAX + 1}-01-01T00:00:00Z")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a basket; `amount` is the line's total in minor units.

    `fields` is what conditions on `item` read: only fields that are present.
    """

    sku: str
    amount: int
    category: str | None = None
    quantity: int = 1
    fields: Mapping[str, Any] = dataclasses.field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        fields: dict[str, Any] = {"sku": self.sku, "amount": self.amount, "quantity": self.quantity}
        if self.category is not None:
            fields["category"] = self.category
        object.__setattr__(self, "fields", fields)


class Payment(msgspec.Struct, frozen=True):
    """One request to pay, before discounts. `fields` is what rules read: only fields that are present."""

    payment_id: str
    occurred_at: Instant
    payee_id: str
    amount: int
    currency: str
    payer_id: str | None
    device_id: str | None
    codes: tuple[str, ...]
    items: tuple[Item, ...]
    fields: Mapping[str, Any]

    def at(self, now: Instant) -> "Payment":
        """The same payment as rules must see it when `now` is the clock of the decision."""
        return Payment(
            self.payment_id, now, self.payee_id, self.amount, self.currency, self.payer_id, self.device_id,
            self.codes, self.items, {**self.fields, "occurred_at": now},
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ItemSchema:
    """The declared domain of one line of a basket, by name."""

    fields: Mapping[str, Field]


@lru_cache(maxsize=64)
def item_schema(amount_max: int) -> ItemSchema:
    """What a line may hold in payments of at most `amount_max` minor units."""
    fields = (
        Field("sku", FieldType.STRING),
        Field("category", FieldType.STRING, optional=True),
        Field("amount", FieldType.INT, min=0, max=amount_max),
        Field("quantity", FieldType.INT, min=0, max=amount_max),
    )
    return ItemSchema({one.name: one for one in fields})


def parse_payment(raw: Any, schema: PaymentSchema) -> Payment:
    """The payment in `raw`, as decoded from JSON. Raises Problem(PAYMENT_IS_INVALID) with every place that is wrong."""
    if not isinstance(raw, dict):
        raise _invalid([FieldError("", f"must be an object, not {_kind(raw)}")])
    plain = _plain_fields(raw, schema)
    if plain is not None:
        return _payment(plain, ())
    errors: list[FieldError] = []
    fields: dict[str, Any] = {}
    declared = schema.fields
    for name, value in raw.items():
        _take(name, value, declared.get(name), schema, fields, errors)
    for name, field in declared.items():
        if not field.optional and name not in raw:
            errors.append(FieldError(f"/{name}", "is missing"))
    items = _items(raw.get("items"), schema, errors)
    if errors:
        raise _invalid(errors)
    _check_lines(items, fields["amount"])
    return _payment(fields, items)


def _payment(fields: dict[str, Any], items: tuple[Item, ...]) -> Payment:
    return Payment(
        fields["payment_id"], fields["occurred_at"], fields["payee_id"], fields["amount"], fields["currency"],
        fields.get("payer_id"), fields.get("device_id"), tuple(fields.get("codes", ())), items, fields,
    )  # fmt: skip


def _plain_fields(raw: dict[str, Any], schema: PaymentSchema) -> dict[str, Any] | None:
    """The fields of a payment without items that is plainly right, sooner than by the walk that finds every mistake.

    None leaves it to that walk: it decides, and what is taken here it would take, too.
    """
    fields: dict[str, Any] = {}
    said: list[str] = []
    texts, declared = schema.texts, schema.fields
    for name, value in raw.items():
        text = texts.get(name)
        if text is not None and type(value) is str:
            allowed, most = text
            if (allowed is not None and value not in allowed) or not 0 < len(value) <= most:
                return None
            said.append(value)
        else:
            field = declared.get(name)
            if field is None:
                return None
            if value is None and field.optional:
                continue
            try:
                value = _READ[field.type](field, value)  # noqa: PLW2901 - read as the walk reads it
            except ValueError:
                return None
        fields[name] = value
    if not schema.required <= fields.keys():
        return None
    if fields["currency"] != schema.currency or has_no_text("".join(said)):
        return None
    return fields


def _take(
    name: str,
    value: Any,
    field: Field | None,
    schema: PaymentSchema,
    fields: dict[str, Any],
    errors: list[FieldError],
) -> None:
    if name == "items":
        return
    if field is None:
        near = difflib.get_close_matches(name[:ID_CHARS_MAX], [*schema.fields, "items"], 1)
        errors.append(
            FieldError(
                _pointer(name),
                "is not declared by the policy",
                f"did you mean `{near[0]}`?" if near else None,
            )
        )
        return
    if value is None and field.optional:
        return
    try:
        fields[name] = _READ[field.type](field, value)
    except ValueError as error:
        errors.append(FieldError(f"/{name}", str(error)))
        return
    if name == "currency" and value != schema.currency:
        errors.append(FieldError("/currency", f"is `{value[:8]}`; the policy of this house is in {schema.currency}"))


def _bool(_: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {_kind(value)}")
    return value


def _int(field: Field, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"must be a whole number, not {_kind(value)}")
    if field.min is not None and value < field.min:
        raise ValueError(f"must be at least {field.min}")
    if field.max is not None and value > field.max:
        raise ValueError(f"must be at most {field.max}")
    if not -(2**63) <= value < 2**63:
        raise ValueError("does not fit 64 bits")
    return value


def _string(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {_kind(value)}")
    checked_text(value, field.max_length or ID_CHARS_MAX)
    if field.values is not None and value not in field.values:
        near = difflib.get_close_matches(value, field.values, 1)
        raise ValueError("is not in the policy's list" + (f"; did you mean `{near[0]}`?" if near else ""))
    if not value and field.name.endswith("_id"):
        raise ValueError("is empty")
    return value


def _instant(_: Field, value: Any) -> Instant:
    if isinstance(value, Instant):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be an RFC 3339 instant, not {_kind(value)}")
    return parse_moment(value)


def parse_moment(text: str) -> Instant:
    """The instant of something that happened to a payment. Raises ValueError with a reason in words."""
    instant = Instant.parse(text)
    if instant % MICROSECOND:
        raise ValueError("is finer than a microsecond")
    if not _EARLIEST <= instant < _LATEST:
        raise ValueError(f"is outside the years {PAYMENT_YEAR_MIN} to {PAYMENT_YEAR_MAX}")
    return instant


def _strings(field: Field, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list of strings, not {_kind(value)}")
    most = field.max_items if field.max_items is not None else CODES_MAX
    if len(value) > most:
        raise ValueError(f"must have at most {most} entries, not {len(value)}")
    return tuple(_string(field, entry) for entry in value)


_READ: Mapping[FieldType, Callable[[Field, Any], Any]] = {
    FieldType.INT: _int,
    FieldType.BOOL: _bool,
    FieldType.STRING: _string,
    FieldType.TIMESTAMP: _instant,
    FieldType.STRINGS: _strings,
}
"""How a value of each type is read: a look into a table, for a payment has a dozen of them."""


def _items(raw: Any, schema: PaymentSchema, errors: list[FieldError]) -> tuple[Item, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list) or len(raw) > schema.items_max:
        errors.append(FieldError("/items", f"must be a list of at most {schema.items_max} items"))
        return ()
    items = []
    for index, entry in enumerate(raw):
        before = len(errors)
        _item_errors(entry, f"/items/{index}", schema, errors)
        if len(errors) == before:
            items.append(Item(entry["sku"], entry["amount"], entry.get("category"), entry.get("quantity", 1)))
    return tuple(items)


def _item_errors(entry: Any, path: str, schema: PaymentSchema, errors: list[FieldError]) -> None:
    if not isinstance(entry, dict):
        errors.append(FieldError(path, f"must be an object, not {_kind(entry)}"))
        return
    fields = item_schema(schema.amount_max).fields
    for key in entry:
        if key not in fields:
            errors.append(FieldError(path + _pointer(key), f"is unknown; an item has {', '.join(fields)}"))
    for key, declared in fields.items():
        if key not in entry and key in ("sku", "amount"):
            errors.append(FieldError(f"{path}/{key}", "is missing"))
        elif key in entry:
            try:
                _READ[declared.type](declared, entry[key])
            except ValueError as error:
                errors.append(FieldError(f"{path}/{key}", str(error)))


def _check_lines(items: tuple[Item, ...], amount: int) -> None:
    total = sum(item.amount for item in items)
    if items and total != amount:
        raise _invalid([FieldError("/items", f"lines add up to {total}, the amount is {amount}")])


def _invalid(errors: list[FieldError]) -> Problem:
    shown = tuple(errors[:ERRORS_REPORTED_MAX])
    return Problem(ProblemCode.PAYMENT_IS_INVALID, "the payment does not fit the policy's schema", errors=shown)


def _pointer(key: Any) -> str:
    return "/" + str(key)[:ID_CHARS_MAX].replace("~", "~0").replace("/", "~1")


def _kind(value: Any) -> str:
    names = {bool: "a boolean", int: "a whole number", float: "a number with a point", str: "a string"}
    names |= {list: "a list", dict: "an object", type(None): "null"}
    return names.get(type(value), type(value).__name__)
