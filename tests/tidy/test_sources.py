"""Rules for Python: sizes, docstrings, and what may stand in which folder."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

FUNCTION_LINES_MAX = 60

Function = ast.FunctionDef | ast.AsyncFunctionDef
Trees = Mapping[Path, ast.Module]

SQL = re.compile(
    r"\s*(?:select\s.+?\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|truncate\s+\w"
    r"|(?:create|alter|drop)\s+(?:table|role|function|schema|index|policy)\s|grant\s.+?\sto\s|copy\s+\(?select\s)",
    re.IGNORECASE | re.DOTALL,
)

# One mechanism for one job: what is reached for, and the only places that may.
ONLY_IN = {
    "asyncpg": ("store/",),
    "duckdb": ("files/", "demo/"),
    "os.environ": ("settings.py", "store/"),
    "os.getenv": (),
    "datetime.now": ("clock.py",),
    "datetime.utcnow": (),
    "time.time": (),
    "random.random": (),
    "subprocess": ("store/", "demo/"),
}


def test_no_function_is_long(modules: Trees) -> None:
    faults = [
        f"{path}:{node.lineno} {node.name} has {length} lines"
        for path, node in _functions(modules)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not faults, f"split it; {FUNCTION_LINES_MAX} lines are the most:\n" + "\n".join(faults)


def test_everything_public_says_what_it_does(sources: Trees) -> None:
    faults = [f"{path}:1 the module" for path, tree in sources.items() if tree.body and not ast.get_docstring(tree)]
    faults += [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in sources.items()
        for node in _public(tree)
        if not ast.get_docstring(node)
    ]
    assert not faults, "add a docstring that says what is true afterwards:\n" + "\n".join(faults)


def test_sql_stands_in_the_store_only(sources: Trees) -> None:
    # DuckDB reads payment files by SQL; that never reaches the ledger.
    allowed = ("store/", "files/")
    faults = [
        f"{path}:{node.lineno} {node.value.strip()[:60]!r}"
        for path, tree in sources.items()
        if not _inside(path, allowed)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value)
    ]
    assert not faults, "move the statement to a function of store/:\n" + "\n".join(faults)


def test_each_mechanism_is_reached_from_its_own_place_only(sources: Trees) -> None:
    faults = [
        f"{path}:{line} {name}; only {' and '.join(ONLY_IN[name]) or 'nothing'} may"
        for path, tree in sources.items()
        for line, name in _reached(tree)
        if not _inside(path, ONLY_IN[name])
    ]
    assert not faults, "settings, the clock, the store and files are the ways to these:\n" + "\n".join(faults)


def test_only_the_command_line_prints(sources: Trees) -> None:
    faults = [
        f"{path}:{node.lineno}"
        for path, tree in sources.items()
        if not _inside(path, ("cli/",))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not faults, "log it, or return it to the command:\n" + "\n".join(faults)


def test_the_name_of_every_test_is_a_sentence(modules: Trees) -> None:
    faults = [
        f"{path}:{node.lineno} {node.name}"
        for path, node in _functions(modules)
        if _is_test(path, node) and node.name.count("_") < 3
    ]
    assert not faults, "say what holds, such as test_a_refund_returns_its_share:\n" + "\n".join(faults)


def test_every_test_can_fail(modules: Trees) -> None:
    faults = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in modules.items()
        if path.parts[0] == "tests"
        for node in _hollow(tree)
        if _is_test(path, node)
    ]
    assert not faults, "these assert nothing:\n" + "\n".join(faults)


def test_no_test_replaces_a_part_by_a_mock(modules: Trees) -> None:
    faults = [
        f"{path}:{node.lineno}"
        for path, tree in modules.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unittest.mock"))
        or (isinstance(node, ast.ImportFrom) and node.module == "unittest" and "mock" in {a.name for a in node.names})
        or (isinstance(node, ast.Import) and any(alias.name.startswith("unittest.mock") for alias in node.names))
    ]
    assert not faults, "run the real part, or pass in a value:\n" + "\n".join(faults)


def _functions(trees: Trees) -> Iterator[tuple[Path, Function]]:
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield path, node


def _public(scope: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    for node in scope.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def _inside(path: Path, places: tuple[str, ...]) -> bool:
    place = path.as_posix().removeprefix("src/makegood/")
    return any(place.startswith(allowed) for allowed in places)


def _reached(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [(node.module or "").split(".")[0]]
        elif isinstance(node, ast.Attribute):
            names = [".".join(ast.unparse(node).split(".")[-2:])]
        yield from ((node.lineno, name) for name in names if name in ONLY_IN)  # type: ignore[attr-defined]


def _is_test(path: Path, node: Function) -> bool:
    return path.parts[0] == "tests" and path.name.startswith("test_") and node.name.startswith("test_")


def _hollow(tree: ast.Module) -> list[Function]:
    """The functions of a module that can fail no test: they judge nothing, and call nothing of it that does."""
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    names: set[str] = set()
    while True:
        found = {node.name for node in functions if any(_judges(part, names) for part in ast.walk(node))}
        if found == names:
            return [node for node in functions if node.name not in names]
        names = found


def _judges(node: ast.AST, names: set[str]) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in {"raises", "warns", "fail"}
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        return called in names or re.search(r"expect|assert|check|verify|validate|refuse", called) is not None
    if isinstance(node, ast.Name):
        return node.id == "run_state_machine_as_test"  # Its rules assert; it is passed to a thread.
    return isinstance(node, ast.Assert)
