"""A line of the table, and what can go wrong with one."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Versus:
    """Something else that was measured in the same run, in the same unit."""

    what: str
    value: float


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. The smaller `value`, the better; `versus` is the best of the others, which follow in `others`."""

    name: str
    case: str
    value: float
    unit: str
    versus: Versus
    others: tuple[Versus, ...] = ()

    @property
    def ratio(self) -> float:
        """How many times less this takes than what it is compared with: higher is better."""
        return self.versus.value / self.value


@dataclass(frozen=True, slots=True)
class Lines:
    """The rows of one name, in one sentence for a person, and what was missing to compare with."""

    rows: tuple[Row, ...]
    summary: str
    missing: tuple[str, ...] = field(default=())


class AnswersDiffer(Exception):  # noqa: N818 - what was found, not a fault of the one who asks
    """Two contestants gave different answers to one question, so their speed means nothing."""
