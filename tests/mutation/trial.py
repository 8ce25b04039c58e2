"""One edit on trial: what the oracle says of it, what the proof says of it, and where they disagree."""

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from random import Random
from typing import Any

import yaml
from tests.mutation.documents import Document, Trio, read_campaign_document
from tests.mutation.mutator import mutants
from tests.mutation.oracle import Judgement, judge, shows
from tests.mutation.search import Bad
from tests.mutation.trios import correct_trio

from makegood.domain.campaign import Campaign
from makegood.proof.prove import prove_campaign
from makegood.proof.verdict import Report, Row, Verdict

UNEDITED = "unedited"
MUTANTS_EACH = 10
PROCESSES = 2
AHEAD = 32  # Trios under way or waiting: a slow one at the head must not leave the other process idle.


@dataclass(frozen=True)
class Trial:
    """`is_harmful` by the oracle, `is_proved` by the proof; None for both where reading refuses the document.

    `faults` are sentences about what the proof gets wrong.
    """

    kind: str
    trio: Trio
    document: Document
    is_harmful: bool | None = None
    is_proved: bool | None = None
    faults: tuple[str, ...] = field(default=())

    @property
    def text(self) -> str:
        """Everything that it takes to see it again."""
        before = yaml.safe_dump(self.trio.campaign_document, allow_unicode=True, sort_keys=False, width=120)
        after = yaml.safe_dump(self.document, allow_unicode=True, sort_keys=False, width=120)
        edit = [f"  was {line}" for line in before.splitlines() if line not in after.splitlines()]
        edit += [f"  is  {line}" for line in after.splitlines() if line not in before.splitlines()]
        lines = [f"seed {self.trio.seed}, edit {self.kind}", *(f"* {fault}" for fault in self.faults), *edit]
        return "\n".join(lines) + "\n" + self.trio.text(self.document)


def trials(seed: int, count: int) -> Iterator[Trial]:
    """That many edits of right trios, and before the edits of each trio the trio itself.

    Two processes work on trios; what comes out, and in which order, is the same for the same seed.
    """
    names = (f"{seed}:{attempt}" for attempt in range(count))  # More than enough: a trio has several edits.
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        pending = deque(pool.submit(trials_of, name) for name in islice(names, AHEAD))
        try:
            while pending:
                for one in pending.popleft().result():
                    yield one
                    count -= one.kind != UNEDITED
                    if count <= 0:
                        return
                pending.extend(pool.submit(trials_of, name) for name in islice(names, 1))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def trials_of(name: str) -> list[Trial]:
    """The trio of that name itself, then some edits of it; nothing where it is not right."""
    trio = correct_trio(name)
    if trio is None:
        return []
    some = islice(mutants(trio, Random(trio.seed)), MUTANTS_EACH)
    every = [(UNEDITED, trio.campaign_document), *some]
    return [trial(kind, trio, document) for kind, document in every]


def trial(kind: str, trio: Trio, document: Document) -> Trial:
    """The trial of one document in the place of the trio's campaign."""
    campaign = read_campaign_document(document, trio.read_policy)
    if campaign is None:
        return Trial(kind, trio, document)
    judgement = judge(campaign, trio.brief, trio.policy, trio.live)
    report = prove_campaign(campaign, trio.brief, trio.policy, trio.live)
    faults = tuple(_faults(judgement, report, campaign, trio))
    return Trial(kind, trio, document, judgement.is_harmful, report.is_proved, faults)


def _faults(judgement: Judgement, report: Report, campaign: Campaign, trio: Trio) -> Iterator[str]:
    rows = {row.obligation: row for row in report.rows}
    for name in sorted(rows.keys() ^ judgement.broken.keys()):
        yield f"{name}: {'no row' if name in judgement.broken else 'a row that is no obligation'}"
    for name, is_broken in judgement.broken.items():
        if name in rows:
            yield from _faults_of(rows[name], is_broken, judgement.bad.get(name), campaign, trio)


def _faults_of(row: Row, is_broken: bool, known: Bad | None, campaign: Campaign, trio: Trio) -> Iterator[str]:
    name = row.obligation
    if row.verdict is not (Verdict.REFUTED if is_broken else Verdict.PROVED):
        shown = f", for example by {known.payment} that gets {known.discount} {known.others or ''}" if known else ""
        yield f"{name}: {row.verdict}, but it is {'broken' + shown if is_broken else 'kept'}"
    if row.verdict is not Verdict.REFUTED:
        return
    if row.witness is None:
        if known is not None:
            yield f"{name}: no witness, though {known.payment} is granted something"
        return
    witness = Bad(row.witness.payment, row.witness.discount_minor, row.witness.others or {})
    try:
        if is_broken and not shows(name, witness, campaign, trio.brief, trio.policy, trio.live):
            yield f"{name}: the witness does not show it: {witness}"
    except Exception as error:
        yield f"{name}: the witness is no payment, {error!r}: {witness}"
    if known is not None and witness.amount > known.amount:
        yield f"{name}: the witness is not the smallest: {witness}, but {known}"


@dataclass
class Tally:
    """How many edits of each kind ended how."""

    kinds: dict[str, dict[str, int]] = field(default_factory=dict)
    failures: list[Trial] = field(default_factory=list)

    def add(self, one: Trial) -> None:
        """Count one."""
        row = self.kinds.setdefault(one.kind, dict.fromkeys(COLUMNS, 0))
        row["made"] += 1
        for column, counts in _COUNTED.items():
            row[column] += counts(one)
        if one.faults or (one.is_proved is not None and one.is_harmful == one.is_proved):
            self.failures.append(one)

    def total(self, column: str) -> int:
        """Over all kinds."""
        return sum(row[column] for row in self.kinds.values())

    def table(self) -> str:
        """One line a kind, and the total."""
        lines = [f"{'kind':<24}" + "".join(f"{column.replace('_', ' '):>18}" for column in COLUMNS)]
        rows: Mapping[str, Mapping[str, int]] = {
            **dict(sorted(self.kinds.items())), "total": {column: self.total(column) for column in COLUMNS},
        }  # fmt: skip
        lines += [f"{kind:<24}" + "".join(f"{row[column]:>18}" for column in COLUMNS) for kind, row in rows.items()]
        return "\n".join(lines) + "\n"

    def failures_text(self, most: int = 3) -> str:
        """The smallest failures first."""
        found = sorted(self.failures, key=lambda one: len(one.text))[:most]
        return f"{len(self.failures)} failures; the smallest:\n\n" + "\n\n".join(one.text for one in found)


_COUNTED: Mapping[str, Any] = {
    "refused_by_check": lambda one: one.is_harmful is None,
    "harmful": lambda one: one.is_harmful is True,
    "refused": lambda one: one.is_harmful is True and not one.is_proved,
    "escaped": lambda one: one.is_harmful is True and one.is_proved,
    "harmless": lambda one: one.is_harmful is False,
    "proved": lambda one: one.is_harmful is False and one.is_proved,
    "wrongly_refused": lambda one: one.is_harmful is False and not one.is_proved,
    "row_differs": lambda one: bool(one.faults),
}
COLUMNS = ("made", *_COUNTED)
