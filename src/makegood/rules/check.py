"""From text to a checked expression, or to findings with their places. Never raises on any text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from makegood.findings import FindingCode, Severity
from makegood.limits import (
    ERRORS_REPORTED_MAX,
    EXPRESSION_BYTES_MAX,
    EXPRESSION_NODES_MAX,
    EXPRESSION_STEPS_MAX,
    LIST_ENTRIES_MAX,
)
from makegood.rules.cost import steps_of
from makegood.rules.environment import Environment
from makegood.rules.expression import Constant, Expression, ListLiteral, walk
from makegood.rules.finding import RuleFinding
from makegood.rules.guards import unguarded
from makegood.rules.translate import translate
from makegood.rules.tree import read_tree
from makegood.rules.types import BOOL, CelType
from makegood.rules.wire import decode_checked

__all__ = ["Checked", "RuleFinding", "check_expression"]

_BLANK: Final = re.compile(r"(?:[ \t\r\n\f]|//[^\n]*)*")


@dataclass(frozen=True, slots=True)
class Checked:
    """The tree of a text, or None where an error among the findings refuses it."""

    text: str
    expression: Expression | None
    findings: tuple[RuleFinding, ...] = ()


def check_expression(text: str, env: Environment, *, want: CelType | None = BOOL) -> Checked:
    """The expression in the text as a value of the wanted type (None: any), with every finding, in order of place."""
    if refused := _refuse_text(text):
        return Checked(text, None, (refused,))
    try:
        compiled = env.compiler.compile(text)
    except RuntimeError as error:
        return Checked(text, None, translate(str(error), text, env)[:ERRORS_REPORTED_MAX])
    decoded = decode_checked(compiled.serialize())
    if len(decoded.positions) > EXPRESSION_NODES_MAX:
        hint = f"it has {len(decoded.positions)} parts; at most {EXPRESSION_NODES_MAX} are allowed"
        return Checked(text, None, (_error(FindingCode.EXPRESSION_IS_TOO_LARGE, "is too large", hint),))
    node, findings = read_tree(decoded, env)
    if node is not None:
        findings += _judge(node, env, want)
    if any(finding.severity is Severity.ERROR for finding in findings):
        node = None
    findings.sort(key=lambda finding: (finding.line, finding.column))
    return Checked(text, node, tuple(findings[:ERRORS_REPORTED_MAX]))


def _refuse_text(text: str) -> RuleFinding | None:
    """What is wrong with a text before anything reads it as an expression."""
    if len(text) > EXPRESSION_BYTES_MAX or len(text.encode("utf-8", "surrogatepass")) > EXPRESSION_BYTES_MAX:
        hint = f"at most {EXPRESSION_BYTES_MAX} bytes are allowed"
        return _error(FindingCode.EXPRESSION_IS_TOO_LARGE, "is too large", hint)
    if _BLANK.fullmatch(text):
        return _error(FindingCode.CONDITION_IS_EMPTY, "is empty", "for everyone, write `true`")
    for offset, char in enumerate(text):
        if char == "\0" or "\ud800" <= char <= "\udfff":
            message = "holds a character that no text may hold (NUL or half a surrogate pair)"
            line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
            return RuleFinding(Severity.ERROR, FindingCode.EXPRESSION_DOES_NOT_PARSE, message, None, line, column)
    return None


def _judge(node: Expression, env: Environment, want: CelType | None) -> Iterator[RuleFinding]:
    """What is wrong with a tree as a whole."""
    place = node.position
    if want is not None and node.type != want:
        message = f"gives a value of type `{node.type}`, not `{want}`"
        yield RuleFinding(
            Severity.ERROR, FindingCode.EXPRESSION_HAS_A_TYPE_ERROR, message, None, place.line, place.column
        )
    if isinstance(node, Constant) and node.value is True and env.schema is not None:
        message = f"holds for every {env.subject}"
        yield RuleFinding(Severity.WARNING, FindingCode.CONDITION_IS_EVERYONE, message, None, place.line, place.column)
    for field in dict.fromkeys(unguarded(node)):
        name, at = f"{env.subject}.{field.name}", field.position
        message, hint = f"`{name}` may be missing here", f"write `has({name}) && …` before it"
        severity = Severity.ERROR if env.subject == "payment" else Severity.WARNING
        if severity is Severity.WARNING:  # It decides about one line; who is eligible is said elsewhere.
            message += f"; an {env.subject} without it does not match"
        yield RuleFinding(severity, FindingCode.OPTIONAL_IS_UNGUARDED, message, hint, at.line, at.column)
    yield from _bounds(node, env)


def _bounds(node: Expression, env: Environment) -> Iterator[RuleFinding]:
    """Lists and loops that are larger than anyone needs."""
    code = FindingCode.EXPRESSION_IS_TOO_LARGE
    for each in walk(node):
        if isinstance(each, ListLiteral) and len(each.elements) > LIST_ENTRIES_MAX:
            message, at = (
                f"the list has {len(each.elements)} entries; at most {LIST_ENTRIES_MAX} are allowed",
                each.position,
            )
            yield RuleFinding(Severity.ERROR, code, message, None, at.line, at.column)
    steps = steps_of(node, env.sizes)
    if steps > EXPRESSION_STEPS_MAX:
        message = f"its loops may run {steps} times; at most {EXPRESSION_STEPS_MAX} are allowed"
        yield _error(code, message, "do not nest macros over long lists")


def _error(code: FindingCode, message: str, hint: str | None) -> RuleFinding:
    return RuleFinding(Severity.ERROR, code, message, hint, 1, 1)
