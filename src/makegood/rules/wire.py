"""The wire form of a checked expression: what `Expression.serialize()` of the CEL runtime holds.

The runtime answers with a `google.protobuf.Any` around a `cel.expr.CheckedExpr`. The message classes are made here, at
run time, in a descriptor pool of their own, so that nothing else in the process can collide with them.

Sub-expressions and element types are declared as `bytes`, which is the same on the wire, and are decoded one level
at a time. Hostile nesting therefore meets our own bound (`EXPRESSION_DEPTH_MAX`) and never protobuf's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

_SCALARS: Final[Mapping[str, int]] = {
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "uint64": descriptor_pb2.FieldDescriptorProto.TYPE_UINT64,
    "double": descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
}

# name: (field, number, type); `*` repeats. A type that is no scalar is a message of this table.
_MESSAGES: Final[Mapping[str, tuple[tuple[str, int, str], ...]]] = {
    "Constant": (
        ("null_value", 1, "int32"), ("bool_value", 2, "bool"), ("int64_value", 3, "int64"),
        ("uint64_value", 4, "uint64"), ("double_value", 5, "double"), ("string_value", 6, "string"),
        ("bytes_value", 7, "bytes"), ("duration_value", 8, "bytes"), ("timestamp_value", 9, "bytes"),
    ),
    "Ident": (("name", 1, "string"),),
    "Select": (("operand", 1, "bytes"), ("field", 2, "string"), ("test_only", 3, "bool")),
    "Call": (("target", 1, "bytes"), ("function", 2, "string"), ("args", 3, "*bytes")),
    "CreateList": (("elements", 1, "*bytes"), ("optional_indices", 2, "*int32")),
    "CreateStruct": (("message_name", 1, "string"),),
    "Comprehension": (
        ("iter_var", 1, "string"), ("iter_var2", 8, "string"), ("iter_range", 2, "bytes"), ("accu_var", 3, "string"),
        ("accu_init", 4, "bytes"), ("loop_condition", 5, "bytes"), ("loop_step", 6, "bytes"), ("result", 7, "bytes"),
    ),
    "Expr": (
        ("id", 2, "int64"), ("const_expr", 3, "Constant"), ("ident_expr", 4, "Ident"), ("select_expr", 5, "Select"),
        ("call_expr", 6, "Call"), ("list_expr", 7, "CreateList"), ("struct_expr", 8, "CreateStruct"),
        ("comprehension_expr", 9, "Comprehension"),
    ),
    "ListType": (("elem_type", 1, "bytes"),),
    "Type": (
        ("dyn", 1, "bytes"), ("null", 2, "int32"), ("primitive", 3, "int32"), ("wrapper", 4, "int32"),
        ("well_known", 5, "int32"), ("list_type", 6, "ListType"), ("map_type", 7, "bytes"), ("function", 8, "bytes"),
        ("message_type", 9, "string"), ("type_param", 10, "string"), ("type", 11, "bytes"), ("error", 12, "bytes"),
        ("abstract_type", 14, "bytes"),
    ),
    "Reference": (("name", 1, "string"), ("overload_id", 3, "*string"), ("value", 4, "Constant")),
    "ReferenceEntry": (("key", 1, "int64"), ("value", 2, "Reference")),
    "TypeEntry": (("key", 1, "int64"), ("value", 2, "Type")),
    "PositionEntry": (("key", 1, "int64"), ("value", 2, "int32")),
    "SourceInfo": (("line_offsets", 3, "*int32"), ("positions", 4, "*PositionEntry")),
    "CheckedExpr": (
        ("reference_map", 2, "*ReferenceEntry"), ("type_map", 3, "*TypeEntry"), ("expr", 4, "bytes"),
        ("source_info", 5, "SourceInfo"),
    ),
}  # fmt: skip

_PACKAGE: Final = "makegood.wire"


def _describe(proto: descriptor_pb2.DescriptorProto, fields: tuple[tuple[str, int, str], ...]) -> None:
    for name, number, declared in fields:
        field = proto.field.add(name=name, number=number)
        repeated, kind = declared.startswith("*"), declared.removeprefix("*")
        field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
        if kind in _SCALARS:
            field.type = _SCALARS[kind]  # type: ignore[assignment]
        else:
            field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"


def _classes() -> dict[str, type[Message]]:
    file = descriptor_pb2.FileDescriptorProto(name="makegood/wire.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in _MESSAGES.items():
        _describe(file.message_type.add(name=name), fields)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = {name: pool.FindMessageTypeByName(f"{_PACKAGE}.{name}") for name in _MESSAGES}
    return {name: message_factory.GetMessageClass(descriptor) for name, descriptor in found.items()}


_CLASSES: Final = _classes()


@dataclass(frozen=True, slots=True)
class Decoded:
    """A checked expression whose root is still bytes; the maps are by expression id.

    `positions` are code points from the start of the text, `references` the resolved name of an identifier.
    """

    root: bytes
    types: Mapping[int, Any]
    references: Mapping[int, str]
    positions: Mapping[int, int]
    line_offsets: tuple[int, ...]


def decode_checked(serialized: bytes) -> Decoded:
    """The checked expression in the bytes of `Expression.serialize()`."""
    wrapper = any_pb2.Any.FromString(serialized)
    assert wrapper.type_url.endswith("cel.expr.CheckedExpr"), wrapper.type_url
    checked: Any = _CLASSES["CheckedExpr"].FromString(wrapper.value)
    info = checked.source_info
    return Decoded(
        checked.expr,
        {entry.key: entry.value for entry in checked.type_map},
        {entry.key: entry.value.name for entry in checked.reference_map if entry.value.name},
        {entry.key: entry.value for entry in info.positions},
        tuple(info.line_offsets),
    )


def decode_expr(data: bytes) -> Any:
    """One level of an expression; its sub-expressions stay bytes."""
    return _CLASSES["Expr"].FromString(data)


def decode_type(data: bytes) -> Any:
    """One level of a type; an element type stays bytes."""
    return _CLASSES["Type"].FromString(data)


def set_field(message: Any, names: tuple[str, ...]) -> str | None:
    """Which of these fields is present; None where none is."""
    return next((name for name in names if message.HasField(name)), None)


CONSTANT_KINDS: Final = tuple(name for name, _, _ in _MESSAGES["Constant"])
EXPR_KINDS: Final = tuple(name for name, _, _ in _MESSAGES["Expr"] if name != "id")
TYPE_KINDS: Final = tuple(name for name, _, _ in _MESSAGES["Type"])
