"""A finding in an expression, with its place in the expression text."""

from dataclasses import dataclass

from makegood.findings import FindingCode, Severity


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """One finding. The message is a lower-case fragment; line and column count from 1, columns in code points."""

    severity: Severity
    code: FindingCode
    message: str
    hint: str | None
    line: int
    column: int
