"""For whom a campaign is: the common shapes of a condition in words, everything else as the CEL text itself.

A condition is put into words only when every part of it is understood; half a condition would be a wrong sentence.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from makegood.documents.words import CHINESE, ENGLISH, both, either, field_words, money_words, scene_words
from makegood.domain.policy import Policy
from makegood.rules.check import check_expression
from makegood.rules.environment import Environment, payment_environment
from makegood.rules.expression import And, Compare, Constant, Expression, Field, Has, In, ListLiteral, Not, Or
from makegood.rules.types import BOOL, INT

_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_PLAIN = re.compile(r"[\w.'-]+(?: [\w.'-]+)*")  # A value that cannot be mistaken for a part of the sentence.


@dataclass(slots=True)
class Audience:
    """What all parts of a condition say together. Bounds are inclusive."""

    scenes: tuple[str, ...] | None = None
    low: int | None = None
    high: int | None = None
    cities: tuple[str, ...] | None = None
    flags: list[tuple[str, bool]] = field(default_factory=list)
    listed: list[tuple[str, tuple[str, ...], bool]] = field(default_factory=list)
    numbers: list[tuple[str, str, int]] = field(default_factory=list)
    guarded: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)


def audience_words(when: str, policy: Policy, language: str, environment: Environment | None = None) -> str:
    """The payments that a condition means, such as `for in-store QR payments of at least 100.00 CNY`."""
    expression = check_expression(when, environment or payment_environment(policy.schema)).expression
    audience = understand(expression) if expression is not None else None
    when = " ".join(when.split())
    if audience is None:
        return f"满足条件`{when}`的支付" if language == CHINESE else f"for payments where `{when}`"
    return _chinese(audience, policy) if language == CHINESE else _english(audience, policy)


def understand(expression: Expression) -> Audience | None:
    """What the condition says, or None where a part of it is beyond these words."""
    audience = Audience()
    for term in _terms(expression):
        if not _take(term, audience):
            return None
    return audience if audience.guarded <= audience.used else None


def _terms(expression: Expression) -> Iterable[Expression]:
    if isinstance(expression, And):
        for term in expression.terms:
            yield from _terms(term)
    else:
        yield expression


def _take(term: Expression, audience: Audience) -> bool:
    match term:
        case Constant(value=True):
            return True
        case Has(field=Field(name=name)):
            audience.guarded.add(name)
            return True
        case Field(name=name) if term.type == BOOL:
            return _take_flag(name, True, audience)
        case Not(operand=Field(name=name) as operand) if operand.type == BOOL:
            return _take_flag(name, False, audience)
        case Compare(operator=operator, left=left) if operator in _MIRRORED and left.type == INT:
            return _take_bound(term, audience)
        case _:
            found = _membership(term)
            return found is not None and _take_listed(*found, audience)


def _take_flag(name: str, wanted: bool, audience: Audience) -> bool:
    audience.flags.append((name, wanted))
    audience.used.add(name)
    return True


def _take_bound(term: Compare, audience: Audience) -> bool:
    match term:
        case Compare(operator=operator, left=Field(name=name), right=Constant(value=bound)):
            pass
        case Compare(operator=mirrored, left=Constant(value=bound), right=Field(name=name)):
            operator = _MIRRORED[mirrored]
        case _:
            return False
    audience.used.add(name)
    if name == "amount":
        return _take_amount(operator, bound, audience)
    audience.numbers.append((name, operator, bound))
    return True


def _take_amount(operator: str, bound: int, audience: Audience) -> bool:
    """A bound on the amount, minor units; one below zero says nothing that these words could say."""
    if operator in (">", ">="):
        low = bound + (operator == ">")
        audience.low = low if audience.low is None else max(low, audience.low)
        return low >= 0
    high = bound - (operator == "<")
    audience.high = high if audience.high is None else min(high, audience.high)
    return high >= 0


def _take_listed(name: str, values: tuple[str, ...], wanted: bool, audience: Audience) -> bool:
    if not values or not all(_PLAIN.fullmatch(value) for value in values):
        return False
    audience.used.add(name)
    if name == "scene" and wanted and audience.scenes is None:
        audience.scenes = values
    elif name == "city" and wanted and audience.cities is None:
        audience.cities = values
    else:
        audience.listed.append((name, values, wanted))
    return True


def _membership(term: Expression) -> tuple[str, tuple[str, ...], bool] | None:
    """Field, texts, and whether it must be (True) or must not be (False) one of them."""
    match term:
        case Compare(operator="==" | "!=" as operator, left=Field(name=name), right=Constant(value=str(value))):
            return name, (value,), operator == "=="
        case Compare(operator="==" | "!=" as operator, left=Constant(value=str(value)), right=Field(name=name)):
            return name, (value,), operator == "=="
        case In(element=Field(name=name), list=ListLiteral(elements=elements)):
            texts = [one.value for one in elements if isinstance(one, Constant) and isinstance(one.value, str)]
            return (name, tuple(texts), True) if len(texts) == len(elements) else None
        case Not(operand=operand):
            found = _membership(operand)
            return (found[0], found[1], not found[2]) if found is not None else None
        case Or(terms=terms):
            return _either([_membership(one) for one in terms])
        case _:
            return None


def _either(found: Sequence[tuple[str, tuple[str, ...], bool] | None]) -> tuple[str, tuple[str, ...], bool] | None:
    """`a == "x" || a == "y"` as one list, where all alternatives are about one field."""
    known = [one for one in found if one is not None and one[2]]
    if len(known) < len(found) or len({one[0] for one in known}) != 1:
        return None
    return known[0][0], tuple(dict.fromkeys(value for one in known for value in one[1])), True


def _english(audience: Audience, policy: Policy) -> str:
    language = ENGLISH
    payments = "every payment"
    if audience.scenes is not None:
        payments = both([scene_words(scene, language) for scene in audience.scenes], language)
    elif audience != Audience():
        payments = "payments"
    parts = [f"for {payments}", *_amounts_english(audience, policy.currency)]
    if audience.cities is not None:
        parts.append(f"in {either(audience.cities, language)}")
    parts += [_flag_english(name, wanted) for name, wanted in audience.flags]
    details = [
        f"{field_words(name, language)} {'' if wanted else 'not '}{either(values, language)}"
        for name, values, wanted in audience.listed
    ]
    details += [f"{field_words(name, language)} {operator} {bound}" for name, operator, bound in audience.numbers]
    return " ".join(parts + ([f"with {both(details, language)}"] if details else []))


def _amounts_english(audience: Audience, currency: str) -> list[str]:
    bounds = []
    if audience.low is not None:
        bounds.append(f"at least {money_words(audience.low, currency, ENGLISH)}")
    if audience.high is not None:
        bounds.append(f"at most {money_words(audience.high, currency, ENGLISH)}")
    return [f"of {' and '.join(bounds)}"] if bounds else []


def _flag_english(name: str, wanted: bool) -> str:
    if name == "payer_is_new":
        return "by new payers" if wanted else "by payers who are not new"
    return f"{'with' if wanted else 'without'} {field_words(name, ENGLISH)}"


def _chinese(audience: Audience, policy: Policy) -> str:
    language = CHINESE
    before = [f"在{either(audience.cities, language)}"] if audience.cities is not None else []
    before += [_flag_chinese(name, wanted) for name, wanted in audience.flags]
    details = [
        f"{field_words(name, language)}{'为' if wanted else '不为'}{either(values, language)}"
        for name, values, wanted in audience.listed
    ]
    details += [f"{field_words(name, language)}{operator}{bound}" for name, operator, bound in audience.numbers]
    if details:
        before.append("、".join(details) + "的")
    payments = "支付" if audience != Audience() else "所有支付"
    if audience.scenes is not None:
        payments = either([scene_words(scene, language) for scene in audience.scenes], language)
    return "".join(before) + payments + _amounts_chinese(audience, policy.currency)


def _amounts_chinese(audience: Audience, currency: str) -> str:
    low = "" if audience.low is None else f"满{money_words(audience.low, currency, CHINESE)}"
    if audience.high is None:
        return low
    return f"{low}{'且' if low else ''}不超过{money_words(audience.high, currency, CHINESE)}"


def _flag_chinese(name: str, wanted: bool) -> str:
    if name == "payer_is_new":
        return "新付款方" if wanted else "非新付款方"
    return f"{field_words(name, CHINESE)}为{'是' if wanted else '否'}的"
