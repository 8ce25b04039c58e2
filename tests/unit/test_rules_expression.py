"""The typed tree: macros by name, flat chains, types and places on every node."""

from makegood.rules.check import check_expression
from makegood.rules.environment import variable_environment
from makegood.rules.expression import (
    And,
    Arithmetic,
    Compare,
    Constant,
    Expression,
    In,
    ListLiteral,
    Local,
    Or,
    Position,
    Quantifier,
    Transform,
    Variable,
    walk,
)
from makegood.rules.types import BOOL, INT, STRING, list_of

ENVIRONMENT = variable_environment({"x": INT, "s": STRING, "l": list_of(INT), "b": BOOL}, sizes={"l": 10})


def tree(text: str) -> Expression:
    checked = check_expression(text, ENVIRONMENT, want=None)
    assert checked.expression is not None, checked.findings
    return checked.expression


def test_a_macro_is_a_node_with_its_name_and_not_a_loop() -> None:
    for kind in ("exists", "all", "exists_one"):
        node = tree(f"l.{kind}(e, e > x)")
        assert isinstance(node, Quantifier)
        assert (node.kind, node.variable.name, node.index) == (kind, "e", None)
        assert isinstance(node.condition, Compare)
    mapped, filtered = tree("l.map(e, e > 1, string(e))"), tree("l.filter(e, e > 1)")
    assert isinstance(mapped, Transform)
    assert (mapped.type, mapped.condition is None) == (list_of(STRING), False)
    assert isinstance(filtered, Transform)
    assert isinstance(filtered.element, Local)


def test_a_loop_variable_has_a_slot_of_its_own_where_names_are_shadowed() -> None:
    node = tree("l.all(x, l.exists(x, x > 1)) && x > 1")
    slots = {each.slot for each in walk(node) if isinstance(each, Local)}
    assert len(slots) == 1  # Only the inner variable is read.
    assert sum(isinstance(each, Variable) and each.name == "x" for each in walk(node)) == 1


def test_chains_are_flat() -> None:
    conjunction, disjunction = tree("b && (b && b) && b"), tree("b || b || (b && b)")
    assert isinstance(conjunction, And)
    assert len(conjunction.terms) == 4
    assert isinstance(disjunction, Or)
    assert len(disjunction.terms) == 3


def test_every_node_has_its_type_and_its_place() -> None:
    node = tree("x in [1,\n  x + 2]")
    assert isinstance(node, In)
    assert (node.type, node.position) == (BOOL, Position(1, 3))
    assert isinstance(node.list, ListLiteral)
    last = node.list.elements[1]
    assert isinstance(last, Arithmetic)
    assert (last.type, last.position) == (INT, Position(2, 5))
    assert isinstance(last.right, Constant)
    assert last.right.position == Position(2, 7)


def test_columns_count_code_points() -> None:
    assert tree("'\U0001f431é' == s").position == Position(1, 6)
