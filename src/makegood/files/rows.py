"""One row of a payment file, whatever the format: which columns are read, and as what."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from makegood.domain.policy import FieldType, PaymentSchema
from makegood.errors import FieldError, Problem, ProblemCode

_WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_WORDS = {"true": True, "false": False}
_PRICED = {
    "payment_type": "purchase",
    "status": "completed",
}  # Columns that tell a purchase from what is not one.
_AMOUNT = "amount"
AMOUNT_COLUMN = "amount_minor"  # What many files call it; taken where there is no `amount`.


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the file from 1, and `raw` as `parse_payment` takes it.

    `raw` is None for what is not a completed purchase; `error` is set where the line itself cannot be read.
    """

    number: int
    raw: dict[str, Any] | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How the columns of a file become the fields of a payment."""

    schema: PaymentSchema
    sources: Mapping[str, str]  # Field to column.
    conditions: Mapping[str, str]  # Column to the one value that is priced.

    def row(self, number: int, columns: Mapping[str, Any]) -> Row:
        """The row, with columns that are absent or None left out, and the only scene filled in."""
        for column, wanted in self.conditions.items():
            if columns.get(column, wanted) != wanted:
                return Row(number, None)
        raw = {}
        for field, column in self.sources.items():
            value = columns.get(column)
            if value is not None:
                raw[field] = value
        if "scene" not in raw and self.schema.single_scene is not None:
            raw["scene"] = self.schema.single_scene
        return Row(number, raw)


def layout_of(schema: PaymentSchema, mapping: Mapping[str, str], columns: set[str] | None) -> Layout:
    """The layout of a file that has `columns`; None where each row says for itself, as in JSON lines.

    `mapping` renames: target field to source column. Columns that the policy does not declare are ignored,
    except the two that tell a completed purchase, unless they were mapped to something or the policy declares
    them itself. Raises Problem where a name is unknown or a required field has no column.
    """
    known = {*schema.fields, "items"}
    _check_targets(mapping, known)
    sources = {name: mapping.get(name, name) for name in known}
    if _AMOUNT not in mapping and columns is not None and _AMOUNT not in columns:
        sources[_AMOUNT] = AMOUNT_COLUMN
    if columns is not None:
        _check_columns(schema, sources, mapping, columns)
    taken = {*mapping.values(), *schema.fields}
    conditions = {column: value for column, value in _PRICED.items() if column not in taken}
    return Layout(schema, sources, conditions)


def typed_from_text(schema: PaymentSchema, field: str, text: str) -> Any:
    """A text of a CSV file as the declared type; None where it is empty. What does not convert stays text.

    `parse_payment` then says what is wrong with it. Lists are JSON arrays, or entries joined by `;`.
    """
    if text == "":
        return None
    if field == "items":
        return _decoded(text)
    match schema.fields[field].type:
        case FieldType.INT:
            return int(text) if _WHOLE.fullmatch(text) else text
        case FieldType.BOOL:
            return _WORDS.get(text.lower(), text)
        case FieldType.STRINGS:
            return _decoded(text) if text.startswith("[") else text.split(";")
        case _:
            return text


def file_problem(detail: str, *, hint: str | None = None) -> Problem:
    """The problem of a payment file that cannot be read at all."""
    return Problem(ProblemCode.PAYMENT_FILE_IS_WRONG, detail, hint=hint)


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _check_targets(mapping: Mapping[str, str], known: set[str]) -> None:
    for target in mapping:
        if target not in known:
            raise file_problem(f"`{target}` is not a field of the policy's payments, so nothing can be mapped to it")


def _check_columns(
    schema: PaymentSchema, sources: Mapping[str, str], mapping: Mapping[str, str], columns: set[str]
) -> None:
    for target, column in mapping.items():
        if column not in columns:
            raise file_problem(f"the file has no column `{column}` to map to `{target}`")
    missing = [
        FieldError(f"/{name}", "has no column in the file", f"name one with --map {name}=COLUMN")
        for name, field in schema.fields.items()
        if not field.optional and sources[name] not in columns and not (name == "scene" and schema.single_scene)
    ]
    if missing:
        raise Problem(
            ProblemCode.PAYMENT_FILE_IS_WRONG,
            "the file lacks fields that the policy requires",
            errors=tuple(missing),
        )
