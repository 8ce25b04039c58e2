"""Strategies that write CEL: typed expressions over one payment schema, as text, and payments of that schema."""

import random
from typing import Any

from hypothesis import strategies as st

from makegood.clock import Instant
from makegood.domain.policy import CORE_FIELDS, Field, FieldType, PaymentSchema

INT64_MAX = 2**63 - 1
DEFAULTS = {"int": "7", "bool": "false", "string": '"none"', "timestamp": "timestamp(0)", "list(string)": '["none"]'}

_FIELDS = (
    *(field for field in CORE_FIELDS if field.name != "amount"),
    Field("amount", FieldType.INT, min=1, max=50_000_000),
    Field("points", FieldType.INT),
    Field("visits", FieldType.INT, optional=True, min=-10, max=10),
    Field("payer_is_new", FieldType.BOOL),
    Field("member", FieldType.BOOL, optional=True),
    Field("city", FieldType.STRING),
    Field("store_type", FieldType.STRING, optional=True),
    Field("segments", FieldType.STRINGS, max_items=4),
    Field("joined_at", FieldType.TIMESTAMP, optional=True),
)
SCHEMA = PaymentSchema("CNY", {field.name: field for field in _FIELDS})

_REQUIRED = {
    "int": ("payment.amount", "payment.points"),
    "bool": ("payment.payer_is_new",),
    "string": ("payment.city", "payment.scene", "payment.channel"),
    "timestamp": ("payment.occurred_at",),
    "list(string)": ("payment.segments",),
}
_OPTIONAL = {
    "int": ("payment.visits",),
    "bool": ("payment.member",),
    "string": ("payment.store_type", "payment.payer_id"),
    "timestamp": ("payment.joined_at",),
    "list(string)": ("payment.codes",),
}
_TEXTS = (
    "",
    "a",
    "Hangzhou",
    "北京",
    "é",
    "\U0001f431",
    "\uffff",
    "in_store_qr",
    "12",
    "-7",
    " 3 ",
    "true",
    "0x1",
    "none",
)
_INTS = (0, 1, -1, 2, 3, 7, 10, 100, 10_000, 2**31, INT64_MAX, -INT64_MAX - 1, 3_037_000_500)
_INSTANTS = (
    "1970-01-01T00:00:00Z", "2027-02-01T00:00:00+08:00", "2026-11-01T05:59:59.999Z", "2027-03-14T07:00:00Z",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "1677-09-21T00:12:44Z", "2262-04-11T23:47:16.854775807Z",
    "1969-12-31T23:59:59.5Z", "2024-02-29T12:00:00.000001Z", "1890-01-01T00:00:00Z", "2100-07-01T00:00:00Z", "noon",
)  # fmt: skip
_DURATIONS = ("0s", "1s", "-1s", "1h30m", "1ns", "-0.5s", "9223372036s", "-9223372036.5s", "720h", "1.123456s", "soon")
_ZONES = ("", '"UTC"', '"Asia/Shanghai"', '"America/New_York"', '"+05:30"', '"-00:30"', '"America/St_Johns"')
_TIMESTAMP_PARTS = (
    "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes",
    "getSeconds", "getMilliseconds",
)  # fmt: skip
_DURATION_PARTS = ("getHours", "getMinutes", "getSeconds", "getMilliseconds")
_COMPARED = ("==", "!=", "<", "<=", ">", ">=")


def quoted(text: str) -> str:
    """The text as a CEL literal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Writer:
    """Writes one expression by chance. `locals` are the loop variables in scope, by type."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.locals: list[tuple[str, str]] = []

    def pick(self, options: Any) -> Any:
        return self.chance.choice(options)

    def write(self, kind: str, depth: int) -> str:
        writer = getattr(self, "_" + kind.partition("(")[0])
        choice = self.chance.randint(0, 9)
        if depth <= 0 or choice < 1:
            return self.leaf(kind)
        if choice == 2:
            return f"({self.write('bool', depth - 1)} ? {self.write(kind, depth - 1)} : {self.write(kind, depth - 1)})"
        written: str = writer(kind, depth - 1)
        return written

    def leaf(self, kind: str) -> str:
        known = [name for name, own in self.locals if own == kind]
        if known and self.chance.random() < 0.5:
            return str(self.pick(known))
        choice = self.chance.randint(0, 3)
        if choice == 0 and kind in _REQUIRED:
            return str(self.pick(_REQUIRED[kind]))
        if choice == 1 and kind in _OPTIONAL:
            name = self.pick(_OPTIONAL[kind])
            return f"(has({name}) ? {name} : {DEFAULTS[kind]})"
        return self.literal(kind)

    def literal(self, kind: str) -> str:
        match kind:
            case "int":
                return str(self.pick(_INTS))
            case "bool":
                return str(self.pick(("true", "false")))
            case "string":
                return quoted(self.pick(_TEXTS))
            case "timestamp":
                return f"timestamp({quoted(self.pick(_INSTANTS[:-1]))})"
            case "duration":
                return f"duration({quoted(self.pick(_DURATIONS[:-1]))})"
        element = kind[5:-1]
        return "[" + ", ".join(self.literal(element) for _ in range(self.chance.randint(1, 3))) + "]"

    def two(self, kind: str, depth: int, operators: Any) -> str:
        return f"({self.write(kind, depth)} {self.pick(operators)} {self.write(kind, depth)})"

    def _bool(self, kind: str, depth: int) -> str:
        match self.chance.randint(0, 11):
            case 0 | 1:
                return self.two("bool", depth, ("&&", "||"))
            case 2:
                return f"!({self.write('bool', depth)})"
            case 3 | 4:
                return self.two(self.pick(("int", "string", "bool", "timestamp", "duration")), depth, _COMPARED)
            case 5:
                return self.two(self.pick(("list(string)", "list(int)")), depth, ("==", "!="))
            case 6:
                element = self.pick(("int", "string", "bool", "timestamp"))
                return f"({self.write(element, depth)} in {self.write(f'list({element})', depth)})"
            case 7:
                test = self.pick(("startsWith", "endsWith", "contains"))
                return f"{self.write('string', depth)}.{test}({self.write('string', depth)})"
            case 8 | 9:
                return self.loop(self.pick(("exists", "all", "exists_one")), "bool", depth)
            case 10:
                return self.guarded(depth)
        return f"bool({self.write('string', depth)})"

    def guarded(self, depth: int) -> str:
        kind = self.pick(("int", "string", "bool", "timestamp"))
        name = self.pick(_OPTIONAL[kind])
        test = f"{name} {self.pick(_COMPARED)} {self.write(kind, depth)}"
        if self.chance.random() < 0.5:
            return f"(has({name}) && {self.write('bool', depth)} && {test})"
        return f"(!has({name}) || {test} || {self.write('bool', depth)})"

    def loop(self, macro: str, body: str, depth: int) -> str:
        element = self.pick(("int", "string"))
        entries = self.write(f"list({element})", depth)
        name = f"v{len(self.locals)}"
        self.locals.append((name, element))
        two = macro in ("exists", "all") and self.chance.random() < 0.5
        if two:
            self.locals.append((f"i{len(self.locals)}", "int"))
        written = self.write(body, depth)
        index = f"{self.locals.pop()[0]}, " if two else ""
        self.locals.pop()
        return f"{entries}.{macro}({index}{name}, {written})"

    def _int(self, kind: str, depth: int) -> str:
        match self.chance.randint(0, 7):
            case 0 | 1 | 2:
                return self.two("int", depth, ("+", "-", "*", "/", "%"))
            case 3:
                return f"-({self.write('int', depth)})"
            case 4:
                return f"size({self.write(self.pick(('string', 'list(string)', 'list(int)')), depth)})"
            case 5:
                zone = self.pick(_ZONES)
                return f"{self.write('timestamp', depth)}.{self.pick(_TIMESTAMP_PARTS)}({zone})"
            case 6:
                return f"{self.write('duration', depth)}.{self.pick(_DURATION_PARTS)}()"
        return f"int({self.write(self.pick(('string', 'timestamp', 'int')), depth)})"

    def _string(self, kind: str, depth: int) -> str:
        match self.chance.randint(0, 2):
            case 0:
                return self.two("string", depth, ("+",))
            case 1:
                return f"{self.write('list(string)', depth)}[{self.write('int', 0)}]"
        return f"string({self.write(self.pick(('int', 'bool', 'timestamp', 'duration', 'string')), depth)})"

    def _timestamp(self, kind: str, depth: int) -> str:
        match self.chance.randint(0, 2):
            case 0:
                return f"({self.write('timestamp', depth)} {self.pick('+-')} {self.write('duration', depth)})"
            case 1:
                return f"({self.write('duration', depth)} + {self.write('timestamp', depth)})"
        return f"timestamp({self.write('int', depth)})"

    def _duration(self, kind: str, depth: int) -> str:
        return self.two(self.pick(("timestamp", "duration")), depth, ("-",))

    def _list(self, kind: str, depth: int) -> str:
        element = kind[5:-1]
        match self.chance.randint(0, 3):
            case 0:
                return self.two(kind, depth, ("+",))
            case 1 if element in ("int", "string"):
                return self.loop("map", element, depth)
            case 2:
                return f"{self.write(kind, depth)}.filter(f{len(self.locals)}, {self.write('bool', depth)})"
        return f"[{self.write(element, depth)}, {self.write(element, depth)}]"


def expressions() -> st.SearchStrategy[str]:
    """Well-typed expressions, most often conditions, that may or may not have a value.

    Only the seed and the depth are Hypothesis's: small draws would write the same few expressions again and again.
    """
    return st.builds(_written, st.integers(0, 2**63), st.integers(1, 5))


def _written(seed: int, depth: int) -> str:
    chance = random.Random(seed)
    kind = chance.choice(("bool",) * 6 + ("int", "int", "string", "timestamp", "duration", "list(int)", "list(string)"))
    return Writer(chance).write(kind, depth)


def payments(seed: int, count: int) -> list[dict[str, Any]]:
    """So many payments as `Payment.fields`; every optional field is missing in some. No list in them is empty."""
    chance = random.Random(seed)
    return [_payment(chance) for _ in range(count)]


def _payment(chance: random.Random) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for field in SCHEMA.fields.values():
        if field.optional and chance.random() < 0.5:
            continue
        fields[field.name] = _value(field, chance)
    return fields


def _value(field: Field, chance: random.Random) -> Any:
    match field.type:
        case FieldType.INT:
            low, high = field.min, field.max
            if low is None or high is None:
                return chance.choice(_INTS)
            return chance.choice((low, high, chance.randint(low, high)))
        case FieldType.BOOL:
            return chance.random() < 0.5
        case FieldType.STRING:
            return chance.choice(_TEXTS)
        case FieldType.TIMESTAMP:
            return Instant.parse(chance.choice(_INSTANTS[:-1]))
        case FieldType.STRINGS:
            # Protobuf cannot tell an optional list that is empty from one that is missing.
            return tuple(chance.choice(_TEXTS) for _ in range(chance.randint(1 if field.optional else 0, 3)))
