"""What an expression may name: variables with types, and a subject, which is the payment or one line of its basket.

The subject is a proto2 message made from its schema, because there every field has explicit presence: a missing `bool`
is missing, not `false`. One difference is ours on purpose: protobuf cannot tell an empty list from an absent one, and
Makegood can. `has(payment.codes)` is true when the list was supplied, even empty. The runtime is asked for types only,
so it never has to answer that question.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool, timestamp_pb2

from makegood.domain.payment import ItemSchema, item_schema
from makegood.domain.policy import FieldType, PaymentSchema
from makegood.rules.types import CelType, Kind

PAYMENT_MESSAGE: Final = "makegood.Payment"
ITEM_MESSAGE: Final = "makegood.Item"

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
    """What an expression may name. `schema` is set where the subject, `payment` or `item`, may be read.

    `dynamic` allows null and values whose type is known only when they are read; rules on payments never need them.
    `sizes` are the most entries that a list variable has, where that is known.
    """

    compiler: Any
    variables: Mapping[str, CelType]
    schema: PaymentSchema | ItemSchema | None = None
    dynamic: bool = False
    sizes: Mapping[str, int] = field(default_factory=dict)
    subject: str = "payment"


def payment_environment(schema: PaymentSchema, variables: Mapping[str, CelType] | None = None) -> Environment:
    """The environment of a condition on payments of that schema, with further variables beside `payment`."""
    named = dict(variables or {})
    return Environment(_compiler("payment", PAYMENT_MESSAGE, _shape(schema), tuple(named.items())), named, schema)


def item_environment(amount_max: int) -> Environment:
    """The environment of a condition on one line of a basket, in payments of at most `amount_max` minor units."""
    line = item_schema(amount_max)
    return Environment(_compiler("item", ITEM_MESSAGE, _shape(line), ()), {}, line, subject="item")


def variable_environment(variables: Mapping[str, CelType], *, sizes: Mapping[str, int] | None = None) -> Environment:
    """An environment without a payment, where null and mixed types are allowed."""
    return Environment(_variable_compiler(tuple(variables.items())), dict(variables), dynamic=True, sizes=sizes or {})


def payment_pool(
    shape: tuple[tuple[str, FieldType], ...], message_name: str = PAYMENT_MESSAGE
) -> descriptor_pool.DescriptorPool:
    """A descriptor pool that holds the subject's message with these fields, every one with presence."""
    file = descriptor_pb2.FileDescriptorProto(name="makegood/subject.proto", package="makegood", syntax="proto2")
    file.dependency.append("google/protobuf/timestamp.proto")
    message = file.message_type.add(name=message_name.removeprefix("makegood."))
    for number, (name, kind) in enumerate(shape, start=1):
        proto = message.field.add(name=name, number=number, json_name=f"f{number}", type=_FIELD_TYPES[kind])
        proto.label = _Proto.LABEL_REPEATED if kind is FieldType.STRINGS else _Proto.LABEL_OPTIONAL
        if kind is FieldType.TIMESTAMP:
            proto.type_name = ".google.protobuf.Timestamp"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return pool


def _shape(schema: PaymentSchema | ItemSchema) -> tuple[tuple[str, FieldType], ...]:
    return tuple((name, declared.type) for name, declared in schema.fields.items())


@lru_cache(maxsize=64)
def _compiler(
    subject: str, message: str, shape: tuple[tuple[str, FieldType], ...], variables: tuple[tuple[str, CelType], ...]
) -> Any:
    declared = {name: _runtime_type(kind) for name, kind in variables}
    declared[subject] = cel.Type(message)
    pool = payment_pool(shape, message)
    return cel.NewEnv(descriptor_pool=pool, config=cel.NewEnvConfigFromYaml(_CONFIG), variables=declared)


@lru_cache(maxsize=256)
def _variable_compiler(variables: tuple[tuple[str, CelType], ...]) -> Any:
    declared = {name: _runtime_type(kind) for name, kind in variables}
    return cel.NewEnv(config=cel.NewEnvConfigFromYaml(_CONFIG), variables=declared)


def _runtime_type(kind: CelType) -> Any:
    return cel.Type.List(_runtime_type(kind.element)) if kind.element else _NAMED[kind.kind]
