"""Python source for a checked expression. The source holds generated names, digits and operators, never a user's text.

Each piece of source says whether it can raise. That is what keeps conditions fast: where at most one term of a chain
can raise, `and` and `or` of Python mean what `&&` and `||` of CEL mean once that term stands last, because the other
terms decide alone or leave the answer to it. Only where two terms can raise are errors caught and weighed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from makegood.clock import SECOND
from makegood.rules import civil, runtime
from makegood.rules.expression import (
    Accessor,
    And,
    Arithmetic,
    Compare,
    Conditional,
    Constant,
    Convert,
    Failing,
    Field,
    Has,
    In,
    Index,
    ListLiteral,
    Local,
    Narrow,
    Negate,
    Node,
    Not,
    Or,
    Quantifier,
    Size,
    TextTest,
    Transform,
    Variable,
    Widen,
)
from makegood.rules.guards import NOTHING, Present, present_when_false, present_when_true
from makegood.rules.intervals import exact_interval, fits, interval
from makegood.rules.types import BOOL, DURATION, INT, STRING, TIMESTAMP

_UNITS: Final = {"getHours": 3600 * SECOND, "getMinutes": 60 * SECOND, "getSeconds": SECOND}
_TESTS: Final = {
    "startsWith": "{0}.startswith({1})",
    "endsWith": "{0}.endswith({1})",
    "contains": "({1} in {0})",
}
_CONVERSIONS: Final = {
    (STRING, BOOL): ("('true' if {0} else 'false')", False),
    (STRING, INT): ("text({0})", False),
    (STRING, TIMESTAMP): ("instant_text({0})", False),
    (STRING, DURATION): ("duration_text({0})", False),
    (INT, STRING): ("text_to_int({0})", True),
    (INT, TIMESTAMP): (f"({{0}} // {SECOND})", False),
    (BOOL, STRING): ("text_to_bool({0})", True),
    (TIMESTAMP, INT): ("seconds_to_instant({0})", True),
}
_CALLED: Final[Mapping[str, Any]] = {
    **{
        name: getattr(runtime, name)
        for name in (
            "all_of",
            "any_of",
            "divide",
            "entry",
            "fail",
            "fit",
            "fit_instant",
            "instant_difference",
            "milliseconds_of",
            "modulo",
            "narrow",
            "read",
            "seconds_to_instant",
            "text_to_bool",
            "text_to_int",
            "truncated_units",
        )
    },
    "instant_text": civil.instant_text,
    "duration_text": civil.duration_text,
    "any": any,
    "all": all,
    "enumerate": enumerate,
    "len": len,
    "sum": sum,
    "text": str,
    "tuple": tuple,
    "__builtins__": {},
}


@dataclass(frozen=True, slots=True)
class Code:
    """A Python expression in parentheses or atomic, and whether evaluating it can raise EvaluationError."""

    text: str
    raises: bool = False


@dataclass(slots=True)
class Emitter:
    """Writes one function. `parameters` maps variables to generated names; `globals` grows by constants."""

    parameters: Mapping[str, str]
    globals: dict[str, Any] = field(default_factory=lambda: dict(_CALLED))

    def emit(self, node: Node, present: Present = NOTHING) -> Code:
        """The source of a node where these optional fields are known to be present."""
        match node:
            case Constant(value=value):
                return self._constant(value)
            case Failing(message=message):
                return Code(f"fail({self._keep(message)})", True)
            case Variable(name=name):
                return self._variable(name)
            case Local(slot=slot):
                return Code(f"v{slot}")
            case Field(name=name, optional=optional):
                return self._field(name, optional and name not in present)
            case Has(field=read):
                return Code(f"({self._keep(read.name)} in {self.parameters['payment']})")
            case And() | Or():
                return self._chain(node, present)
            case Conditional():
                return self._conditional(node, present)
            case Quantifier() | Transform():
                return self._loop(node, present)
            case Arithmetic() | Negate():
                return self._sum(node, present)
            case In():
                return self._in(node, present)
            case ListLiteral(elements=elements):
                return self._list(elements, present)
        return self._plain(node, present)

    def _plain(self, node: Node, present: Present) -> Code:
        """Nodes whose operands are all evaluated, in any order: an error in one is the error of all."""
        match node:
            case Not(operand=operand):
                return self._join("(not {0})", present, operand)
            case Compare(operator=operator, left=left, right=right):
                return self._join(f"({{0}} {operator} {{1}})", present, left, right)
            case Index(list=entries, index=index):
                return self._join("entry({0}, {1})", present, entries, index, raises=True)
            case Size(operand=operand):
                return self._join("len({0})", present, operand)
            case TextTest(test=test, text=text, part=part):
                return self._join(_TESTS[test], present, text, part)
            case Accessor(operand=operand):
                return self._join(self._accessor(node), present, operand)
            case Convert(operand=operand):
                template, raises = _CONVERSIONS[(node.type, operand.type)]
                return self._join(template, present, operand, raises=raises)
            case Widen(operand=operand):
                widen = self._keep(runtime.widener(operand.type, node.type))
                return self._join(f"{widen}({{0}})", present, operand)
            case Narrow(operand=operand):
                return self._join(f"narrow({{0}}, {self._keep(node.type.kind)})", present, operand, raises=True)
        raise AssertionError(node)

    def _join(self, template: str, present: Present, *operands: Node, raises: bool = False) -> Code:
        parts = [self.emit(operand, present) for operand in operands]
        return Code(template.format(*(part.text for part in parts)), raises or any(part.raises for part in parts))

    def _keep(self, value: Any) -> str:
        """A generated global name for a value."""
        name = f"k{len(self.globals)}"
        self.globals[name] = value
        return name

    def _constant(self, value: Any) -> Code:
        if value is None or isinstance(value, bool):
            return Code(str(value))
        return Code(f"({value:d})" if isinstance(value, int) else self._keep(value))

    def _variable(self, name: str) -> Code:
        if name in self.parameters:
            return Code(self.parameters[name])
        return Code(f"fail({self._keep(f'`{name}` has no value')})", True)

    def _field(self, name: str, may_be_missing: bool) -> Code:
        payment, key = self.parameters["payment"], self._keep(name)
        return Code(f"read({payment}, {key})", True) if may_be_missing else Code(f"{payment}[{key}]")

    def _chain(self, node: And | Or, present: Present) -> Code:
        """Terms that cannot raise first, in their order; a term relies on guards only among those before it."""
        learn = present_when_true if isinstance(node, And) else present_when_false
        first: list[str] = []
        last: list[str] = []
        for term in node.terms:
            code = self.emit(term, present)
            if code.raises:
                last.append(code.text)
            else:
                first.append(code.text)
                present |= learn(term)
        word, weigh = (" and ", "all_of") if isinstance(node, And) else (" or ", "any_of")
        if len(last) > 1:
            last = [f"{weigh}(({', '.join(f'lambda: {text}' for text in last)},))"]
        return Code(f"({word.join(first + last)})", bool(last))

    def _conditional(self, node: Conditional, present: Present) -> Code:
        condition = self.emit(node.condition, present)
        then = self.emit(node.then, present | present_when_true(node.condition))
        otherwise = self.emit(node.otherwise, present | present_when_false(node.condition))
        raises = condition.raises or then.raises or otherwise.raises
        return Code(f"({then.text} if {condition.text} else {otherwise.text})", raises)

    def _in(self, node: In, present: Present) -> Code:
        if isinstance(node.list, ListLiteral) and all(isinstance(each, Constant) for each in node.list.elements):
            values = frozenset(each.value for each in node.list.elements if isinstance(each, Constant))
            return self._join(f"({{0}} in {self._keep(values)})", present, node.element)
        return self._join("({0} in {1})", present, node.element, node.list)

    def _list(self, elements: Sequence[Node], present: Present) -> Code:
        if all(isinstance(each, Constant) for each in elements):
            return Code(self._keep(tuple(each.value for each in elements if isinstance(each, Constant))))
        parts = [self.emit(each, present) for each in elements]
        return Code(f"({', '.join(part.text for part in parts)},)", any(part.raises for part in parts))

    def _sum(self, node: Arithmetic | Negate, present: Present) -> Code:
        safe = fits(exact_interval(node))
        if isinstance(node, Negate):
            return self._join("(-{0})" if safe else "fit(-{0})", present, node.operand, raises=not safe)
        template, raises = _sum_template(node, safe)
        return self._join(template, present, node.left, node.right, raises=raises)

    def _accessor(self, node: Accessor) -> str:
        if node.operand.type == TIMESTAMP:
            return f"{self._keep(civil.accessor(node.name, node.zone))}({{0}})"
        unit = _UNITS.get(node.name)
        return "milliseconds_of({0})" if unit is None else f"truncated_units({{0}}, {unit})"

    def _loop(self, node: Quantifier | Transform, present: Present) -> Code:
        entries = self.emit(node.list, present)
        head = f"for v{node.variable.slot} in {entries.text}"
        if node.index is not None:
            head = f"for v{node.index.slot}, v{node.variable.slot} in enumerate({entries.text})"
        if isinstance(node, Quantifier):
            return self._quantifier(node, head, entries.raises, self.emit(node.condition, present))
        element = self.emit(node.element, present)
        condition = None if node.condition is None else self.emit(node.condition, present)
        guard = "" if condition is None else f" if {condition.text}"
        raises = entries.raises or element.raises or (condition is not None and condition.raises)
        return Code(f"tuple([{element.text} {head}{guard}])", raises)

    def _quantifier(self, node: Quantifier, head: str, raises: bool, condition: Code) -> Code:
        if node.kind == "exists_one":
            return Code(f"(sum([1 {head} if {condition.text}]) == 1)", raises or condition.raises)
        word, weigh = ("any", "any_of") if node.kind == "exists" else ("all", "all_of")
        if condition.raises:
            # Each thunk is called before the loop goes on, so it sees its own entry.
            return Code(f"{weigh}((lambda: {condition.text}) {head})", True)
        return Code(f"{word}([{condition.text} {head}])", raises)


def _sum_template(node: Arithmetic, safe: bool) -> tuple[str, bool]:
    """The source of one operation and whether it can raise."""
    operator, kinds = node.operator, (node.left.type, node.right.type)
    plain = f"({{0}} {operator} {{1}})"
    if node.type == STRING or node.type.element:
        return plain, False
    if node.type == TIMESTAMP:
        return f"fit_instant({plain[1:-1]})", True
    if kinds == (TIMESTAMP, TIMESTAMP):
        return "instant_difference({0}, {1})", True
    if operator in "/%":
        (low, _), (divisor, _) = interval(node.left), interval(node.right)
        if low >= 0 and divisor > 0:
            return plain.replace("/", "//"), False
        return ("divide({0}, {1})" if operator == "/" else "modulo({0}, {1})"), True
    return (plain, False) if safe and node.type == INT else (f"fit({plain[1:-1]})", True)
