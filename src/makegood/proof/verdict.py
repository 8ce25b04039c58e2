"""What a proof says: one row an obligation, each with its verdict, its question and, where refuted, its witness."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

NO_NEW_SUBSIDY = "no_new_subsidy"
EQUIVALENT = "equivalent"


class Verdict(StrEnum):
    """Only PROVED lets a campaign run: a solver that does not know, or runs out of time, refuses it."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Witness:
    """The smallest payment that is granted something wrong.

    `payment` is a payment as a file or the API gives it (instants in RFC 3339); `discount_minor` what the campaign
    takes off it; `total_minor` and `others` (minor units by campaign id) what it gets together with other campaigns.
    `words` says it in one sentence, `{"zh-CN": …, "en": …}`.
    """

    payment: Mapping[str, Any]
    discount_minor: int
    words: Mapping[str, str]
    total_minor: int = 0
    others: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One obligation. `ms` is wall time; `question` SMT-LIB 2 text: proved where any solver answers `proved_if` to it.

    A fact of the documents alone is a question too: a formula without variables. `path` is the JSON Pointer of the
    value in the campaign that is at fault, `hint` (by language) what would mend it.
    """

    obligation: str
    verdict: Verdict
    ms: float
    question: str
    witness: Witness | None = None
    path: str = ""
    hint: Mapping[str, str] | None = None
    proved_if: str = "unsat"


@dataclass(frozen=True, slots=True)
class Exposure:
    """The most that a campaign can lose, minor units, as its limits and every possible payment bound it."""

    payment_minor: int
    payer_minor: int
    per_second_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class Report:
    """All obligations of one campaign, in a fixed order. `exposure` is None where it is not known."""

    rows: tuple[Row, ...]
    exposure: Exposure | None
    solver: str

    @property
    def is_proved(self) -> bool:
        """Whether every obligation is proved; no row at all proves nothing."""
        return bool(self.rows) and all(row.verdict is Verdict.PROVED for row in self.rows)

    @property
    def failed(self) -> tuple[str, ...]:
        """The obligations that are not proved, in order."""
        return tuple(row.obligation for row in self.rows if row.verdict is not Verdict.PROVED)


@dataclass(frozen=True, slots=True)
class Changed:
    """One part of the document that differs: the JSON Pointer of it, and a sentence by language."""

    path: str
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What a new revision does differently.

    `gains` and `loses` are the smallest payments that get more and that get less; `changes` are the parts of the
    document that differ.
    """

    no_new_subsidy: Row
    equivalent: Row
    gains: Witness | None
    loses: Witness | None
    changes: tuple[Changed, ...]
    solver: str
