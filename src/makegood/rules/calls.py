"""Calls: operators and functions of the subset, each to the node that names it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from makegood.findings import FindingCode, Severity
from makegood.rules import widening
from makegood.rules.civil import offset_of
from makegood.rules.expression import (
    Accessor, And, Arithmetic, Compare, Conditional, Constant, Convert, Failing, In, Index, Negate, Node, Not, Or,
    Position, Size, TextTest,
)  # fmt: skip
