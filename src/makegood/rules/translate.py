"""The CEL runtime's error text, turned into findings in our own words with the nearest right name as a hint."""

import difflib
import re
from collections.abc import Callable, Iterator
from typing import Final

from makegood.findings import FindingCode, Severity
from makegood.rules.environment import ITEM_MESSAGE, PAYMENT_MESSAGE, Environment
from makegood.rules.finding import RuleFinding
from makegood.rules.vocabulary import FUNCTIONS, LOGIC_WORDS, OPERATORS, TYPE_WORDS

_PLACE: Final = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_UNDECLARED: Final = re.compile(r"undeclared reference to '(.*)' \(in container")
_NO_FIELD: Final = re.compile(r"undefined field '(.*)' not found in struct")
_NO_OVERLOAD: Final = re.compile(r"found no matching overload for '(.*)' applied to '\((.*)\)'")
_NO_SELECT: Final = re.compile(r"expression of type '(.*)' cannot be the operand of a select operation")
_UNEXPECTED: Final = re.compile(r"Syntax error: (?:mismatched|extraneous) input '(.*)' expecting", re.DOTALL)
_UNREADABLE: Final = re.compile(r"Syntax error: token recognition error at: '(.*)'", re.DOTALL)
_MISSING: Final = re.compile(r"Syntax error: missing '(.*)' at '(.*)'", re.DOTALL)
_NOISE: Final = ("maximum number of ERROR issues", "parsetree", "'*error*'", "(*error*", ", *error*")
_SHOWN_MAX: Final = 60
_SUBJECT_HINTS: Final = {
    "item": "item-level benefits have a `where` that reads each line of the basket as `item`",
    "payment": "`where` reads one line as `item`; put what the payment must be into `when`",
}

Said = tuple[FindingCode, str, str | None]


def translate(error: str, text: str, env: Environment) -> tuple[RuleFinding, ...]:
    """The findings that a refusal of the runtime stands for; at least one."""
    if "ecursion" in error[:400] or "too deep" in error[:400]:
        return (_too_deep(),)
    found = sorted(dict.fromkeys(_findings(error, text, env)), key=lambda finding: (finding.line, finding.column))
    return tuple(found) or (_finding(FindingCode.EXPRESSION_DOES_NOT_PARSE, "cannot be read", None, 1, 1),)


def nearest(name: str, known: list[str]) -> str | None:
    """The hint that offers the known name most like this one; None where none is like it."""
    near = difflib.get_close_matches(name[:_SHOWN_MAX], known, 1)
    return f"did you mean `{near[0]}`?" if near else None


def _too_deep() -> RuleFinding:
    hint = "the limit is 32 levels; split a long chain of `+` with parentheses, or simplify"
    return _finding(FindingCode.EXPRESSION_IS_TOO_LARGE, "is nested too deeply", hint, 1, 1)


def _finding(code: FindingCode, message: str, hint: str | None, line: int, column: int) -> RuleFinding:
    return RuleFinding(Severity.ERROR, code, message, hint, line, column)


def _findings(error: str, text: str, env: Environment) -> Iterator[RuleFinding]:
    for match in _PLACE.finditer(error):
        line, column, said = int(match[1]), int(match[2]), match[3].removesuffix(" [INVALID_ARGUMENT]")
        if line < 1 or any(noise in said for noise in _NOISE):
            continue
        code, message, hint = _say(said, env)
        yield _finding(code, message, hint, line, _column(said, text, line, column))


def _column(said: str, text: str, line: int, column: int) -> int:
    """The runtime points at the dot or the parenthesis after a name; people look for the name."""
    lines = text.split("\n")
    source = lines[line - 1] if line <= len(lines) else ""
    if _NO_FIELD.match(said) and source[column - 1 : column] == ".":
        return column + 1
    if match := _UNDECLARED.match(said):
        name = match[1].rpartition(".")[0] if source[column - 1 : column] == "." else match[1]
        start = column - 1 - len(name)
        if start >= 0 and source[start : column - 1] == name:
            return start + 1
    return column


def _say(said: str, env: Environment) -> Said:
    for pattern, speak in _SPEAKERS:
        if match := pattern.match(said):
            return speak(match, env)
    words = said.removeprefix("Syntax error: ").split(" expecting ")[0].strip()
    return FindingCode.EXPRESSION_DOES_NOT_PARSE, _cut(words[:1].lower() + words[1:]), None


def _undeclared(match: re.Match[str], env: Environment) -> Said:
    name, _, rest = match[1].partition(".")
    known = [*env.variables, *FUNCTIONS, *([env.subject] if env.schema else [])]
    hint = nearest(name, known)
    if hint is None and env.schema and name in env.schema.fields and not rest:
        hint = f"did you mean `{env.subject}.{name}`?"
    if name in _SUBJECT_HINTS and env.schema:
        hint = _SUBJECT_HINTS[name]
    if name in ("exists", "all", "exists_one", "map", "filter"):
        hint = f"write `list.{name}(name, expression)`"
    return FindingCode.EXPRESSION_HAS_A_TYPE_ERROR, f"`{_cut(name)}` is not a name that rules know", hint


def _no_field(match: re.Match[str], env: Environment) -> Said:
    name = match[1]
    if name == "items" and env.subject == "payment":
        message = "`payment.items` cannot be read by a condition on payments"
        return FindingCode.EXPRESSION_IS_UNSUPPORTED, message, _SUBJECT_HINTS["item"]
    fields = list(env.schema.fields) if env.schema else []
    message = f"{'an item' if env.subject == 'item' else 'a payment'} has no field `{_cut(name)}`"
    return FindingCode.EXPRESSION_HAS_A_TYPE_ERROR, message, nearest(name, fields)


def _no_overload(match: re.Match[str], _env: Environment) -> Said:
    name, types = OPERATORS.get(match[1], match[1]), [_type_words(part) for part in _split(match[2])]
    hint = None
    if "double" in types:
        hint = "there are no fractions; money is whole minor units"
    elif name in ("==", "!=", "<", "<=", ">", ">=", "? :"):
        hint = "both sides must have one type"
    message = f"`{_cut(name)}` does not take {' and '.join(f'`{_cut(kind)}`' for kind in types)}"
    return FindingCode.EXPRESSION_HAS_A_TYPE_ERROR, message, hint


def _no_select(match: re.Match[str], _env: Environment) -> Said:
    kind = _type_words(match[1])
    return FindingCode.EXPRESSION_HAS_A_TYPE_ERROR, f"a value of type `{_cut(kind)}` has no fields", None


def _unexpected(match: re.Match[str], _env: Environment) -> Said:
    if match[1] == "<EOF>":
        return FindingCode.EXPRESSION_DOES_NOT_PARSE, "the expression ends too early", None
    hint = f"did you mean `{LOGIC_WORDS[match[1]]}`?" if match[1] in LOGIC_WORDS else None
    return FindingCode.EXPRESSION_DOES_NOT_PARSE, f"`{_cut(match[1])}` is not expected here", hint


def _unreadable(match: re.Match[str], _env: Environment) -> Said:
    token = match[1].strip()
    hint = f"did you mean `{LOGIC_WORDS[token]}`?" if token in LOGIC_WORDS else None
    if token[:1] in ("'", '"'):
        hint = "a text must end with the quote that it starts with"
    return FindingCode.EXPRESSION_DOES_NOT_PARSE, f"cannot read `{_cut(token)}`", hint


def _missing(match: re.Match[str], _env: Environment) -> Said:
    return FindingCode.EXPRESSION_DOES_NOT_PARSE, f"`{_cut(match[1])}` is missing", None


_SPEAKERS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Environment], Said]], ...]] = (
    (_UNDECLARED, _undeclared),
    (_NO_FIELD, _no_field),
    (_NO_OVERLOAD, _no_overload),
    (_NO_SELECT, _no_select),
    (_UNEXPECTED, _unexpected),
    (_UNREADABLE, _unreadable),
    (_MISSING, _missing),
)


def _type_words(name: str) -> str:
    name = name.strip().replace(PAYMENT_MESSAGE, "payment").replace(ITEM_MESSAGE, "item")
    for runtime, word in TYPE_WORDS.items():
        name = name.replace(runtime, word)
    return name


def _split(types: str) -> Iterator[str]:
    """The parts between commas that stand outside parentheses."""
    depth, part = 0, ""
    for char in types:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            yield part
            part = ""
        else:
            part += char
    yield part


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…"
