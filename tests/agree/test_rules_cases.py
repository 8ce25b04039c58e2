"""Chosen expressions without a payment, mixed types among them: the same value as the CEL runtime, or both an error."""

from typing import Any

import pytest
from cel_expr_python import cel

from makegood.rules.check import check_expression
from makegood.rules.environment import variable_environment
from makegood.rules.evaluate import EvaluationError, compile_expression
from makegood.rules.values import to_json

ENVIRONMENT = variable_environment({})
ERROR = "an error"

CASES = """
9223372036854775807 + 1
-9223372036854775808 - 1
-(-9223372036854775808)
(-9223372036854775808) / -1
(-9223372036854775808) % -1
5000000000 * 5000000000
-7 / 2
-7 % 2
7 % -2
1 / 0
1 % 0
true || 1 / 0 > 0
1 / 0 > 0 || true
1 / 0 > 0 || false
false && 1 / 0 > 0
1 / 0 > 0 && false
1 / 0 > 0 && true
1 / 0 > 0 && 1 % 0 > 0 && false
1 / 0 > 0 && 1 / 1 > 1
1 / 0 > 0 && 1 / 1 > 0
1 / 0 > 0 || 1 / 1 > 0
1 / 0 > 0 || 1 / 1 > 1
1 / 0 > 0 ? 1 : 2
true ? 1 : 1 / 0
!(1 / 0 > 0)
[1, 2].exists(x, 1 / (x - 1) > 0)
[1, 2].exists(x, 1 / (x - 1) > 5)
[1, 2].all(x, 1 / (x - 1) > 5)
[1, 2].all(x, 1 / (x - 1) > 0)
[0, 1].exists_one(x, 1 / x > 0)
[1, 2, 3].exists_one(x, x > 1)
[1, 0].map(x, 1 / x)
[3, 1].map(x, x > 1, x * x)
[3, 1].filter(x, x > 1)
[1, 2].exists(i, v, i == 1 && v == 2)
[1, 2].all(i, v, v == i + 1)
[1, 2].existsOne(i, v, v == i + 1)
[5, 6].transformList(i, v, i + v)
[5, 6].transformList(i, v, i > 0, i + v)
[1, 2].map(x, [x, x + 1].filter(x, x > 2))
[[1], [2, 3]].exists(x, size(x) == 2)
[1, 2][0]
[1, 2][2]
[1, 2][-1]
[] == [1]
[[], [1]][0] == []
1 in []
[1] in [[1], [2]]
[1] + [2] == [1, 2]
"b" > "a" && "B" < "a" && "\\uffff" < "\\U0001f431"
size("\\U0001f431")
"北京市".contains("京")
"".startsWith("")
string(-12) + string(true)
int("12") + int("-12") + int(" 7 ")
int("9223372036854775808")
int("+-1")
int("")
bool("True") && !bool("f")
bool("T")
timestamp("2020-02-30T00:00:00Z") == timestamp(0)
timestamp(253402300799) < timestamp("9999-12-31T23:59:59.5Z")
timestamp(253402300800) == timestamp(0)
timestamp("9999-12-31T23:59:59.999999999Z") + duration("1ns") == timestamp(0)
timestamp("0001-01-01T00:00:00Z") - duration("1ns") == timestamp(0)
timestamp("9999-12-31T23:59:59Z") - timestamp("0001-01-01T00:00:00Z") == duration("0s")
timestamp("9999-12-31T23:59:59Z").getFullYear("+01:00")
timestamp("0001-01-01T00:00:00Z").getFullYear("-01:00")
timestamp("2027-02-01T00:00:00Z").getDayOfWeek()
timestamp("2028-03-01T00:00:00Z").getDayOfYear()
timestamp("2028-02-29T23:00:00Z").getDayOfMonth("Asia/Shanghai")
timestamp("9999-12-31T23:59:59Z").getDate("Asia/Shanghai")
timestamp("0001-01-01T00:00:00Z").getMinutes("America/New_York")
timestamp("1969-12-31T23:59:59.999Z").getMilliseconds()
int(timestamp("1969-12-31T23:59:59.5Z"))
string(timestamp("2020-01-01T00:00:00.12Z"))
string(duration("-1h0.5s"))
string(duration("200000000000s"))
duration("200000000000s") > duration("1s")
duration("200000000000s") + duration("200000000000s") == duration("0s")
duration("320000000000s") == duration("0s")
duration("9223372036.854775807s") + duration("1ns") == duration("0s")
duration("-1.5s").getMilliseconds()
duration("-90m").getHours()
null == null
[null] == [null]
dyn(1) == null
dyn(1) == dyn(true)
dyn("a") == 1
dyn(1) + 1
dyn("a") + "b"
[1, "a", null] == [1, "a", null]
[1, "a"].exists(x, x == "a")
[1, "a"].all(x, x % 2 == 1)
[0, "a"].all(x, x % 2 == 1)
[1, "a"].map(x, [x]) == [[1], ["a"]]
[1, "a"][1].startsWith("a")
[1, "a"][0].startsWith("a")
"a" in [1, "a"]
[2, true].exists(x, x < 1)
(true ? dyn(1) : dyn("a")) == 1
dyn([1][3]) || true
[1][dyn("")] == 1
""".strip().splitlines()


def _ours(text: str) -> Any:
    checked = check_expression(text, ENVIRONMENT, want=None)
    assert checked.expression is not None, checked.findings
    try:
        return to_json(compile_expression(checked.expression, ())(), checked.expression.type)
    except EvaluationError:
        return ERROR


@pytest.mark.parametrize("text", CASES)
def test_a_chosen_expression_means_what_the_runtime_says(text: str) -> None:
    value = ENVIRONMENT.compiler.compile(text).eval()
    theirs = ERROR if value.type() == cel.Type.ERROR else value.plain_value()
    ours = _ours(text)
    assert (type(ours), ours) == (type(theirs), theirs)


@pytest.mark.parametrize(
    "text",
    [
        "1.5 > 1.0", "1u == 1u", "b'a' == b'a'", "{1: 2}[1]", "'a'.matches('a')", "type(1) == int", "double(1) > 0.5",
        "timestamp('2020-01-01T00:00:00Z').getHours('No/Where')", "timestamp('a' + 'b') == timestamp(0)",
        "duration('200000000000s') - duration('1s') == duration('0s')", "[1, 'a'][0] + [1, 'a'][0] == 2",
        "{'a': 1}.a == 1",
    ],
)  # fmt: skip
def test_a_construct_outside_the_subset_is_refused_not_approximated(text: str) -> None:
    checked = check_expression(text, ENVIRONMENT, want=None)
    assert checked.expression is None
    assert {finding.code for finding in checked.findings} == {"expression_is_unsupported"}
