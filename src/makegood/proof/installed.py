"""Whether the solver is there. It is an extra, and loaded only where something is proved."""

from importlib.util import find_spec

SOLVER_HINT = "install it: pip install 'makegood[proof]'"


def solver_is_there() -> bool:
    """Whether the solver is installed."""
    return find_spec("z3") is not None
