"""Reading one tree: each method takes a place and gives the value, or None after it has added a finding."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from makegood.clock import Instant
from makegood.documents.hints import SHOWN_CHARS, listed, money_hint, nearest, rate_hint, shown
from makegood.documents.scalar import Kind
from makegood.documents.source import HIDDEN, Node, Tree, source_lines
from makegood.findings import Finding, FindingCode, Severity
from makegood.limits import ERRORS_REPORTED_MAX, ID_CHARS_MAX, LIST_ENTRIES_MAX, TEXT_CHARS_MAX
from makegood.money import parse_money, parse_rate

IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)
_BARE = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?", re.ASCII)
_EARLIEST = Instant.parse("1970-01-01T00:00:00Z")
_LATEST = Instant.parse("9999-01-01T00:00:00Z")  # A year of room, so that every zone can show it.


@dataclass(frozen=True, slots=True)
class Place:
    """A node and the JSON Pointer that leads to it."""

    node: Node
    path: str

    def at(self, key: str, node: Node) -> "Place":
        """A place below this one."""
        return Place(node, f"{self.path}/{key.replace('~', '~0').replace('/', '~1')}")


Fields = Mapping[str, Place]


@dataclass(slots=True)
class Reading:
    """One document being read. `currency` is the policy's; None means that the first amount decides."""

    tree: Tree
    now: Instant
    currency: str | None = None
    findings: list[Finding] = field(default_factory=list)
    forbidden: bool = False
    hints_left: int = ERRORS_REPORTED_MAX  # Looking for a near word costs; the rest appear after these are mended.
    _lines: list[str] | None = None

    def root(self) -> Place:
        """The whole document."""
        assert self.tree.root is not None
        return Place(self.tree.root, "")

    def lines(self) -> list[str]:
        """The lines of the file."""
        if self._lines is None:
            self._lines = source_lines(self.tree.source.data.decode("utf-8-sig"))
        return self._lines

    def nearest(self, word: str, known: Collection[str]) -> str | None:
        """A hint at the known word that is meant, for the first words that need one."""
        self.hints_left -= 1
        return nearest(word, known) if self.hints_left >= 0 else None

    # -- findings --------------------------------------------------------------------------------------

    def error(
        self, place: Place, code: FindingCode, message: str, hint: str | None = None, *, forbids: bool = True
    ) -> None:
        """Add an error. With `forbids` the document gives no object; without, it does and is still refused."""
        self.forbidden = self.forbidden or forbids
        self._add(Severity.ERROR, place, code, message, hint)

    def warning(self, place: Place, code: FindingCode, message: str, hint: str | None = None) -> None:
        """Add a warning."""
        self._add(Severity.WARNING, place, code, message, hint)

    def _add(self, severity: Severity, place: Place, code: FindingCode, message: str, hint: str | None) -> None:
        node, file = place.node, self.tree.source.file
        self.findings.append(Finding(severity, code, message, place.path, file, node.line, node.column, hint))

    def wrong_type(self, place: Place, due: str, hint: str | None = None) -> None:
        """Add that something else is due here; silent where the YAML itself was already refused."""
        if place.node.kind is Kind.BROKEN:
            self.forbidden = True
            return
        found = f"`{shown(place.node)}`" if place.node.kind in _SCALARS else str(place.node.kind.value)
        self.error(place, FindingCode.TYPE_IS_WRONG, f"must be {due}, not {found}", hint)

    # -- collections -----------------------------------------------------------------------------------

    def fields(
        self, place: Place, required: Collection[str], optional: Collection[str] = (), *, of: str = "this mapping"
    ) -> Fields | None:
        """The known keys of a mapping. Unknown and missing ones are errors and do not hide the rest."""
        if place.node.kind is not Kind.MAPPING:
            self.wrong_type(place, f"a mapping with {listed(required or optional)}")
            return None
        known = [*required, *optional]
        for key, entry in place.node.entries().items():
            if key not in known:
                here = place.at(key, Node(Kind.STRING, key, entry.line, entry.column))
                self.error(
                    here,
                    FindingCode.KEY_IS_UNKNOWN,
                    f"`{key[:SHOWN_CHARS]}` is not a key of {of}",
                    self.nearest(key, known),
                )
        for key in required:
            if key not in place.node.entries():
                self.missing(place, key)
        return {key: place.at(key, entry.value) for key, entry in place.node.entries().items() if key in known}

    def missing(
        self, place: Place, key: str, code: FindingCode = FindingCode.KEY_IS_MISSING, hint: str | None = None
    ) -> None:
        """Add that a key is not there."""
        self.error(place.at(key, place.node), code, f"`{key}` is missing", hint)

    def mapping(self, place: Place, most: int, due: str) -> dict[str, tuple[Place, Place]]:
        """The entries of a mapping with free keys: for each key its own place and its value's."""
        if place.node.kind is not Kind.MAPPING:
            self.wrong_type(place, due)
            return {}
        entries = place.node.entries()
        if len(entries) > most:
            self.error(place, FindingCode.VALUE_IS_WRONG, f"has {len(entries)} entries; at most {most} are allowed")
            return {}
        return {
            key: (place.at(key, Node(Kind.STRING, key, entry.line, entry.column)), place.at(key, entry.value))
            for key, entry in entries.items()
        }

    def named(self, place: Place) -> dict[str, Place]:
        """The entries of a mapping whose keys are ids of ours."""
        found = self.mapping(place, LIST_ENTRIES_MAX, "a mapping from id to what it is")
        return {key: value for key, (here, value) in found.items() if self.identifier(here) is not None}

    def entries(self, place: Place, most: int = LIST_ENTRIES_MAX, *, least: int = 0) -> list[Place]:
        """The entries of a list; an empty list after an error."""
        if place.node.kind is not Kind.LIST:
            self.wrong_type(place, "a list")
            return []
        count = len(place.node.value)
        if not least <= count <= most:
            bound = f"at least {least}" if count < least else f"at most {most}"
            self.error(place, FindingCode.VALUE_IS_WRONG, f"has {count} entries; it needs {bound}")
            return []
        return [place.at(str(index), node) for index, node in enumerate(place.node.value)]

    # -- scalars ---------------------------------------------------------------------------------------

    def text(self, place: Place, most: int = TEXT_CHARS_MAX) -> str | None:
        """A text that a person reads, or a value of a payment: 1 to `most` characters, none of them invisible."""
        node = place.node
        if node.kind is not Kind.STRING:
            quoted = node.kind in (Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN)
            self.wrong_type(place, "a text", f'write `"{shown(node)}"`' if quoted else None)
            return None
        value: str = node.value
        if not value.strip():
            self.error(place, FindingCode.VALUE_IS_WRONG, "is empty")
        elif len(value) > most:
            self.error(place, FindingCode.VALUE_IS_WRONG, f"has {len(value)} characters; at most {most} are allowed")
        elif HIDDEN.search(value) or any("\ud800" <= char <= "\udfff" for char in value):
            self.error(place, FindingCode.VALUE_IS_WRONG, "holds an invisible character")
        else:
            return value
        return None

    def identifier(self, place: Place) -> str | None:
        """An id of ours: small letters, digits, `-`, `_` and `.`, at most 64 characters."""
        value = self.text(place, ID_CHARS_MAX)
        if value is None or IDENTIFIER.fullmatch(value):
            return value
        self.error(
            place, FindingCode.VALUE_IS_WRONG, f"`{value[:SHOWN_CHARS]}` is not an id",
            "use at most 64 small letters, digits, `-`, `_` and `.`, beginning with a letter or digit",
        )  # fmt: skip
        return None

    def name(self, place: Place, known: Collection[str] | None, what: str) -> str | None:
        """A name that the policy declares. `known` None: there is no policy to ask."""
        value = self.text(place, ID_CHARS_MAX)
        if value is None or known is None or value in known:
            return value
        message = f"`{value[:SHOWN_CHARS]}` is not a {what} of the policy"
        self.error(place, FindingCode.NAME_IS_UNKNOWN, message, self.nearest(value, known))
        return None

    def whole(self, place: Place, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`."""
        if place.node.kind is not Kind.INTEGER:
            self.wrong_type(place, "a whole number")
            return None
        value: int = place.node.value
        if low <= value <= high:
            return value
        self.error(place, FindingCode.VALUE_IS_WRONG, f"must be from {low} to {high}, not {value}")
        return None

    def flag(self, place: Place) -> bool | None:
        """`true` or `false`."""
        if place.node.kind is not Kind.BOOLEAN:
            self.wrong_type(place, "`true` or `false`")
            return None
        return bool(place.node.value)

    def money(self, place: Place) -> int | None:
        """Minor units of an amount in the currency of this document, 0 or more."""
        node = place.node
        bare = node.kind in (Kind.INTEGER, Kind.NUMBER) or (
            node.kind is Kind.STRING and _BARE.fullmatch(node.value.strip()) is not None
        )
        if bare:
            message = f"`{shown(node)}` is a bare number; an amount is written with its currency"
            self.error(place, FindingCode.MONEY_IS_BARE, message, money_hint(str(node.value), self.currency))
            return None
        if node.kind is not Kind.STRING:
            self.wrong_type(place, 'an amount such as "50.00 CNY"')
            return None
        try:
            money = parse_money(node.value)
        except ValueError as error:
            self.error(place, FindingCode.MONEY_IS_WRONG, f"`{shown(node)}` {error}")
            return None
        return self._in_currency(place, money.minor, money.currency)

    def _in_currency(self, place: Place, minor: int, currency: str) -> int | None:
        self.currency = self.currency or currency
        if currency == self.currency:
            return minor
        message = f"is in {currency}; this document and its policy are in {self.currency}"
        self.error(place, FindingCode.CURRENCY_DIFFERS, message)
        return None

    def rate(self, place: Place) -> int | None:
        """Basis points of a rate from 0% to 100%."""
        node = place.node
        bare = node.kind in (Kind.INTEGER, Kind.NUMBER) or (
            node.kind is Kind.STRING and _BARE.fullmatch(node.value.strip()) is not None
        )
        if bare:
            message = f"`{shown(node)}` is a bare number; a rate is written with `%`"
            self.error(place, FindingCode.RATE_IS_BARE, message, rate_hint(str(node.value)))
            return None
        if node.kind is not Kind.STRING:
            self.wrong_type(place, 'a rate such as "20%"')
            return None
        try:
            return parse_rate(node.value)
        except ValueError as error:
            self.error(place, FindingCode.RATE_IS_WRONG, f"`{shown(node)}` {error}")
            return None

    def instant(self, place: Place) -> Instant | None:
        """An RFC 3339 instant with its offset, whole microseconds."""
        if place.node.kind is not Kind.STRING:
            self.wrong_type(place, 'an instant such as "2027-02-01T00:00:00+08:00"')
            return None
        try:
            instant = Instant.parse(place.node.value)
            if instant % 1_000:
                raise ValueError("is finer than a microsecond")
            if not _EARLIEST <= instant < _LATEST:
                raise ValueError("is outside the years 1970 to 9998")
        except ValueError as error:
            self.error(place, FindingCode.INSTANT_IS_WRONG, f"`{shown(place.node)}` {error}")
            return None
        return instant


_SCALARS = (Kind.STRING, Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN)
