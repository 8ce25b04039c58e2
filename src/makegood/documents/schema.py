"""The schema of a payment: core fields, closed lists and the attributes that a policy declares."""

import re
from dataclasses import replace

from makegood.documents.reading import Fields, Place, Reading
from makegood.domain.policy import CORE_FIELD_NAMES, CORE_FIELDS, Field, FieldType, PaymentSchema
from makegood.findings import FindingCode
from makegood.limits import (
    ATTRIBUTE_ENTRIES_MAX,
    ATTRIBUTES_MAX,
    BASKET_ITEMS_DEFAULT,
    BASKET_ITEMS_MAX,
    ID_CHARS_MAX,
    TEXT_CHARS_MAX,
)

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
CEL_WORDS = frozenset(
    ("false", "in", "null", "true", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
     "let", "loop", "package", "namespace", "return", "var", "void", "while")
)  # fmt: skip
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_KEYS_OF_TYPE: dict[FieldType, tuple[str, ...]] = {
    FieldType.INT: ("min", "max"),
    FieldType.BOOL: (),
    FieldType.STRING: ("max_length", "values"),
    FieldType.TIMESTAMP: (),
    FieldType.STRINGS: ("max_items", "max_length", "values"),
}


def read_schema(reading: Reading, place: Place, currency: str | None) -> PaymentSchema | None:
    """The declared domain of payments."""
    fields = reading.fields(
        place, ("amount", "scene"), ("channel", "instrument", "items", "attributes"), of="`payment`"
    )
    if fields is None:
        return None
    low, high = _amount(reading, fields["amount"]) if "amount" in fields else (None, None)
    lists = {name: values(reading, fields[name]) for name in ("scene", "channel", "instrument") if name in fields}
    items_max = _items(reading, fields["items"]) if "items" in fields else BASKET_ITEMS_DEFAULT
    attributes = _attributes(reading, fields["attributes"]) if "attributes" in fields else {}
    scenes = lists.get("scene")
    if currency is None or low is None or high is None or scenes is None or items_max is None:
        return None
    core = {field.name: field for field in CORE_FIELDS}
    core["amount"] = replace(core["amount"], min=low, max=high)
    core["currency"] = replace(core["currency"], values=(currency,))
    core |= {name: replace(core[name], values=listed) for name, listed in lists.items()}
    return PaymentSchema(currency, core | attributes, items_max, scenes[0] if len(scenes) == 1 else None)


def _amount(reading: Reading, place: Place) -> tuple[int | None, int | None]:
    fields = reading.fields(place, ("min", "max"), of="`amount`")
    if fields is None:
        return None, None
    low = reading.money(fields["min"]) if "min" in fields else None
    high = reading.money(fields["max"]) if "max" in fields else None
    if low is not None and high is not None and high < low:
        reading.error(fields["max"], FindingCode.VALUE_IS_WRONG, "`max` is below `min`")
    return low, high


def values(reading: Reading, place: Place) -> tuple[str, ...] | None:
    """A closed list of texts, at least one, each once."""
    entries = reading.entries(place, least=1)
    found: dict[str, None] = {}
    for entry in entries:
        value = reading.text(entry, ID_CHARS_MAX)
        if value is None:
            continue
        if value in found:
            reading.error(entry, FindingCode.VALUE_IS_WRONG, f"`{value}` is listed twice")
        found[value] = None
    return tuple(found) if found and len(found) == len(entries) else None


def _items(reading: Reading, place: Place) -> int | None:
    fields = reading.fields(place, ("max",), of="`items`")
    return reading.whole(fields["max"], 0, BASKET_ITEMS_MAX) if fields is not None and "max" in fields else None


def _attributes(reading: Reading, place: Place) -> dict[str, Field]:
    root = reading.mapping(place, ATTRIBUTES_MAX, "a mapping from attribute to its type")
    found = {}
    for name, (key, entry) in root.items():
        field = _attribute(reading, name, entry)
        if _check_name(reading, name, key) and field is not None:
            found[name] = field
    return found


def _check_name(reading: Reading, name: str, key: Place) -> bool:
    if not _IDENTIFIER.fullmatch(name):
        reason = "is not an identifier: a letter, then letters, digits and `_`, at most 64"
    elif name in CORE_FIELD_NAMES:
        reason = "is a core field already"
    elif name in CEL_WORDS:
        reason = "is a reserved word of CEL"
    else:
        return True
    reading.error(key, FindingCode.VALUE_IS_WRONG, f"`{name[:64]}` {reason}")
    return False


def _attribute(reading: Reading, name: str, place: Place) -> Field | None:
    every = ("min", "max", "max_length", "max_items", "values", "optional")
    fields = reading.fields(place, ("type",), every, of="an attribute")
    if fields is None or "type" not in fields:
        return None
    kind = _type(reading, fields["type"])
    if kind is None:
        return None
    for key in fields:
        if key not in (*_KEYS_OF_TYPE[kind], "type", "optional"):
            message = f"`{key}` means nothing for the type `{kind.value}`"
            reading.error(fields[key], FindingCode.KEY_IS_UNKNOWN, message)
    return _field(reading, name, kind, fields)


def _type(reading: Reading, place: Place) -> FieldType | None:
    text = reading.text(place)
    if text is None:
        return None
    names = [kind.value for kind in FieldType]
    if text in names:
        return FieldType(text)
    reading.error(place, FindingCode.VALUE_IS_WRONG, f"`{text[:64]}` is not a type", reading.nearest(text, names))
    return None


def _field(reading: Reading, name: str, kind: FieldType, fields: Fields) -> Field:
    low = reading.whole(fields["min"], INT_MIN, INT_MAX) if "min" in fields else None
    high = reading.whole(fields["max"], INT_MIN, INT_MAX) if "max" in fields else None
    if low is not None and high is not None and high < low:
        reading.error(fields["max"], FindingCode.VALUE_IS_WRONG, "`max` is below `min`")
    length = reading.whole(fields["max_length"], 1, TEXT_CHARS_MAX) if "max_length" in fields else None
    items = reading.whole(fields["max_items"], 0, ATTRIBUTE_ENTRIES_MAX) if "max_items" in fields else None
    listed = values(reading, fields["values"]) if "values" in fields else None
    optional = reading.flag(fields["optional"]) if "optional" in fields else False
    return Field(name, kind, bool(optional), low, high, listed, length, items)
