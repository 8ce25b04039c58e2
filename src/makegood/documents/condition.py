"""Conditions and rules: CEL texts inside a document, checked, with findings placed in the file."""

from makegood.documents.hints import shown
from makegood.documents.places import place_in_file
from makegood.documents.reading import Place, Reading
from makegood.documents.scalar import Kind
from makegood.findings import Finding, FindingCode, Severity
from makegood.rules.check import check_expression
from makegood.rules.environment import Environment
from makegood.rules.finding import RuleFinding


def read_expression(reading: Reading, place: Place, environment: Environment | None) -> str | None:
    """The text of a boolean CEL expression without outer blanks; type-checked where there is an environment."""
    node = place.node
    if node.kind is Kind.NULL or (node.kind is Kind.STRING and not node.value.strip()):
        reading.error(
            place, FindingCode.CONDITION_IS_EMPTY, "is empty; an empty condition would mean everyone",
            "write the condition, or `'true'` if everyone is meant",
        )  # fmt: skip
        return None
    if node.kind is not Kind.STRING:
        hint = f"write `'{shown(node)}'`" if node.kind is Kind.BOOLEAN else None
        reading.wrong_type(place, "a CEL expression in quotes", hint)
        return None
    text: str = node.value
    if environment is None:
        return text.strip()
    checked = check_expression(text, environment)
    for finding in checked.findings:
        _carry(reading, place, finding)
    return text.strip() if checked.expression is not None else None


def _carry(reading: Reading, place: Place, finding: RuleFinding) -> None:
    source = reading.tree.source
    line, column = place_in_file(reading.lines(), place.node, finding.line, finding.column)
    where = (place.path, source.file, line, column)
    reading.findings.append(Finding(finding.severity, finding.code, finding.message, *where, finding.hint))
    if finding.severity is Severity.ERROR:
        reading.forbidden = True
