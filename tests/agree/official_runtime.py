"""The CEL runtime's own answer to an expression on a payment: what ours is compared with."""

from collections.abc import Mapping
from typing import Any

from cel_expr_python import cel
from google.protobuf import message_factory
from tests.agree.written_expressions import SCHEMA

from makegood.clock import SECOND, Instant
from makegood.rules.environment import PAYMENT_MESSAGE, payment_environment, payment_pool
from makegood.rules.types import DURATION, TIMESTAMP, CelType

ERROR = "an error"
ENVIRONMENT = payment_environment(SCHEMA)

_POOL = payment_pool(tuple((field.name, field.type) for field in SCHEMA.fields.values()))
_MESSAGE = message_factory.GetMessageClass(_POOL.FindMessageTypeByName(PAYMENT_MESSAGE))


def payment_message(fields: Mapping[str, Any]) -> Any:
    """The payment as the message that the runtime reads."""
    message: Any = _MESSAGE()
    for name, value in fields.items():
        if isinstance(value, Instant):
            target = getattr(message, name)
            target.seconds, target.nanos = divmod(int(value), SECOND)
            target.SetInParent()
        elif isinstance(value, tuple):
            getattr(message, name).extend(value)
        else:
            setattr(message, name, value)
    return message


def official(text: str, kind: CelType) -> Any:
    """The runtime's own function from a payment message to a value, or ERROR. Instants and durations come as text."""
    compiled = ENVIRONMENT.compiler.compile(f"string({text})" if kind in (TIMESTAMP, DURATION) else text)

    def answer(message: Any) -> Any:
        value = compiled.eval(data={"payment": message})
        return ERROR if value.type() == cel.Type.ERROR else value.plain_value()

    return answer
