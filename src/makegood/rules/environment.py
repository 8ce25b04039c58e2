"""What an expression may name: variables with types, and the payment as a message made from the policy's schema.

The payment is a proto2 message, because there every field has explicit presence: a missing `bool` is missing, not
`false`. One difference is ours on purpose: protobuf cannot tell an empty list from an absent one, and Makegood can.
`has(payment.codes)` is true when the list was supplied, even empty. The runtime is asked for types only, so it never
has to answer that question.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool, timestamp_pb2

from makegood.domain.policy import FieldType, PaymentSchema
from makegood.rules.types import CelType, Kind

PAYMENT_MESSAGE: Final = "makegood.Payment"

_CONFIG: Final = "extensions:\n  - name: two-var-comprehensions\n    version: latest\n"
_NAMED: Final = {
    Kind.BOOL: cel.Type.BOOL,
    Kind.INT: cel.Type.INT,
    Kind.STRING: cel.Type.STRING,
    Kind.TIMESTAMP: cel.Type.TIMESTAMP,
    Kind.DURATION: cel.Type.DURATION,
    Kind.NULL: cel.Type.NULL,
    Kind.DYN: cel.Type.DYN,
}
_Proto = descriptor_pb2.FieldDescriptorProto
_FIELD_TYPES: Final = {
    FieldType.INT: _Proto.TYPE_INT64,
    FieldType.BOOL: _Proto.TYPE_BOOL,
    FieldType.STRING: _Proto.TYPE_STRING,
    FieldType.STRINGS: _Proto.TYPE_STRING,
    FieldType.TIMESTAMP: _Proto.TYPE_MESSAGE,
}


@dataclass(frozen=True, slots=True)
class Environment:
    """What an expression may name. `schema` is set where `payment` may be read.

    `dynamic` allows null and values whose type is known only when they are read; rules on payments never need them.
    `sizes` are the most entries that a list variable has, where that is known.
    """

    compiler: Any
    variables: Mapping[str, CelType]
    schema: PaymentSchema | None = None
    dynamic: bool = False
    sizes: Mapping[str, int] = field(default_factory=dict)


def payment_environment(schema: PaymentSchema, variables: Mapping[str, CelType] | None = None) -> Environment:
    """The environment of a condition on payments of that schema, with further variables beside `payment`."""
    shape = tuple((name, declared.type) for name, declared in schema.fields.items())
    named = dict(variables or {})
    return Environment(_payment_compiler(shape, tuple(named.items())), named, schema)


def variable_environment(variables: Mapping[str, CelType], *, sizes: Mapping[str, int] | None = None) -> Environment:
    """An environment without a payment, where null and mixed types are allowed."""
    return Environment(_variable_compiler(tuple(variables.items())), dict(variables), dynamic=True, sizes=sizes or {})


def payment_pool(shape: tuple[tuple[str, FieldType], ...]) -> descriptor_pool.DescriptorPool:
    """A descriptor pool that holds the payment message with these fields, every one with presence."""
    file = descriptor_pb2.FileDescriptorProto(name="makegood/payment.proto", package="makegood", syntax="proto2")
    file.dependency.append("google/protobuf/timestamp.proto")
    message = file.message_type.add(name="Payment")
    for number, (name, kind) in enumerate(shape, start=1):
        proto = message.field.add(name=name, number=number, json_name=f"f{number}", type=_FIELD_TYPES[kind])
        proto.label = _Proto.LABEL_REPEATED if kind is FieldType.STRINGS else _Proto.LABEL_OPTIONAL
        if kind is FieldType.TIMESTAMP:
            proto.type_name = ".google.protobuf.Timestamp"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return pool


@lru_cache(maxsize=64)
def _payment_compiler(shape: tuple[tuple[str, FieldType], ...], variables: tuple[tuple[str, CelType], ...]) -> Any:
    declared = {name: _runtime_type(kind) for name, kind in variables}
    declared["payment"] = cel.Type(PAYMENT_MESSAGE)
    return cel.NewEnv(descriptor_pool=payment_pool(shape), config=cel.NewEnvConfigFromYaml(_CONFIG), variables=declared)


@lru_cache(maxsize=256)
def _variable_compiler(variables: tuple[tuple[str, CelType], ...]) -> Any:
    declared = {name: _runtime_type(kind) for name, kind in variables}
    return cel.NewEnv(config=cel.NewEnvConfigFromYaml(_CONFIG), variables=declared)


def _runtime_type(kind: CelType) -> Any:
    return cel.Type.List(_runtime_type(kind.element)) if kind.element else _NAMED[kind.kind]
