"""Values that carry their type, as texts: a letter for the type, then the value. Equal texts are equal values.

Only expressions that are not on payments have such values. A list is `l` and then, for every entry, the length of
its text, a colon and the text.
"""

from typing import Any, Final

from makegood.rules.columns_scope import Scope, Sql
from makegood.rules.types import STRING, CelType, Kind

NULL_TEXT: Final = "n"
LETTERS: Final = {
    Kind.BOOL: "b",
    Kind.INT: "i",
    Kind.STRING: "s",
    Kind.TIMESTAMP: "t",
    Kind.DURATION: "d",
    Kind.NULL: NULL_TEXT,
    Kind.LIST: "l",
}
_KINDS: Final = {letter: kind for kind, letter in LETTERS.items()}


def widened(scope: Scope, value: str, kind: CelType, wanted: CelType) -> str:
    """SQL for the value as one that carries its type, entry by entry in a list."""
    if kind == wanted or kind.kind in (Kind.DYN, Kind.NULL):
        return value
    name = scope.name()
    if kind.element and wanted.element:
        return scope.dialect.transform(value, name, None, widened(scope, name, kind.element, wanted.element))
    if kind.element:
        inner = widened(scope, name, kind.element, CelType(Kind.DYN))
        sized = scope.bind(inner, lambda text: f"({_size(scope, text)} || ':' || {text})")
        return f"('{LETTERS[Kind.LIST]}' || {scope.dialect.join(scope.dialect.transform(value, name, None, sized))})"
    return f"('{LETTERS[kind.kind]}' || {scope.cast(value, STRING)})"


def _size(scope: Scope, text: str) -> str:
    return scope.cast(scope.dialect.size_of_text(text), STRING)


def narrowed(scope: Scope, value: str, kind: CelType) -> Sql:
    """SQL for the value without its type; NULL where it is of another type."""

    def read(text: str) -> str:
        rest = f"substr({text}, 2)"
        inner = rest if kind == STRING else f"TRY_CAST({rest} AS {scope.dialect.type_name(kind)})"
        return f"(CASE WHEN substr({text}, 1, 1) = '{LETTERS[kind.kind]}' THEN {inner} END)"

    return Sql(scope.bind(value, read), True)


def to_text(value: tuple[Kind, Any]) -> str:
    """The text of a value that carries its type."""
    kind, inner = value
    match kind:
        case Kind.NULL:
            return NULL_TEXT
        case Kind.BOOL:
            return "btrue" if inner else "bfalse"
        case Kind.LIST:
            texts = [to_text(each) for each in inner]
            return "l" + "".join(f"{len(text)}:{text}" for text in texts)
    return LETTERS[kind] + str(inner)


def from_text(text: str) -> tuple[Kind, Any]:
    """The value that a text stands for."""
    kind, rest = _KINDS[text[0]], text[1:]
    match kind:
        case Kind.NULL:
            return kind, None
        case Kind.BOOL:
            return kind, rest == "true"
        case Kind.STRING:
            return kind, rest
        case Kind.LIST:
            return kind, tuple(_entries(rest))
    return kind, int(rest)


def _entries(text: str) -> list[tuple[Kind, Any]]:
    found = []
    while text:
        size, _, text = text.partition(":")
        found.append(from_text(text[: int(size)]))
        text = text[int(size) :]
    return found
