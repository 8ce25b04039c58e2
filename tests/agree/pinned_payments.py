"""One payment as facts about the solver's terms, and any written payment made one that the schema accepts."""

import random
from typing import Any

from tests.agree.written_expressions import SCHEMA
from tests.laws.text_answers import answers

from makegood.clock import MICROSECOND, Instant
from makegood.domain.payment import parse_payment
from makegood.rules.smt import SymbolicPayment
from makegood.rules.smt_fields import YEARS


def _acceptable(name: str, value: Any, chance: random.Random) -> Any:
    if isinstance(value, Instant):
        whole = int(value) // MICROSECOND * MICROSECOND
        return Instant(min(max(whole, YEARS[0]), YEARS[1] - MICROSECOND)).text()
    if name == "currency":
        return SCHEMA.currency
    if value == "" and name.endswith("_id"):
        return chance.choice(("p-1", "a"))
    return list(value) if isinstance(value, tuple) else value


def accepted(fields: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The payment, changed until `parse_payment` takes it."""
    found = {name: _acceptable(name, value, chance) for name, value in fields.items()}
    return dict(parse_payment(found, SCHEMA).fields)


def _stand_in(payment: SymbolicPayment, name: str, text: str) -> str:
    """The text that answers as this one does, where few stand for all."""
    if name not in payment.sampled:
        return text
    sampled = payment.sampled[name]
    wanted = answers(sampled.asked, text)
    (found,) = (each for each in sampled.texts if answers(sampled.asked, each) == wanted)
    return found


def pinned(payment: SymbolicPayment, fields: dict[str, Any]) -> list[Any]:
    """That the payment is this one."""
    terms, texts, facts = payment.terms, payment.texts, []
    for name, field in payment.fields.items():
        facts.append(payment.present(name) == (name in fields))
        value = fields.get(name)
        if isinstance(value, tuple):
            value = tuple(_stand_in(payment, name, text) for text in value)
        if isinstance(value, str):
            facts.append(terms.flag(texts.equal(field.value, _stand_in(payment, name, value))))
        elif isinstance(value, bool):
            facts.append(field.value == value)
        elif isinstance(value, int):
            facts.append(terms.flag(terms.equal(field.value, int(value))))
        elif isinstance(value, tuple) and field.value.unordered:
            # The last slot stands for all entries that are in no other, where few texts do not stand for all.
            others = () if name in payment.sampled else set(value) - set(field.known)
            facts += [
                terms.flag(flag) == (text in value or (bool(others) and text not in field.known))
                for flag, text in field.value.slots
            ]
        elif isinstance(value, tuple):
            facts.append(terms.flag(terms.equal(field.value.size, len(value))))
            facts += [
                terms.flag(texts.equal(own, text)) for (_, own), text in zip(field.value.slots, value, strict=False)
            ]
    return facts
