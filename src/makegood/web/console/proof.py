"""Proofs as a page shows them: each obligation in words, its verdict, and the payment that refutes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from makegood.clock import Instant
from makegood.proof.verdict import Verdict
from makegood.services.access import Caller
from makegood.services.platform import Platform
from makegood.services.proofs import Proof, newest_proof
from makegood.services.views import CampaignView
from makegood.web.console.speech import Speech
from makegood.web.console.words import VERDICT_WORDS, obligation_words

_MARKS = {Verdict.PROVED: "✓", Verdict.REFUTED: "✗", Verdict.UNKNOWN: "?"}


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One obligation. `mark` repeats `verdict`; `witness` and `hint` are sentences, empty where there is none."""

    obligation: str
    words: str
    mark: str
    verdict: str
    is_proved: bool
    milliseconds: str
    witness: str
    hint: str


@dataclass(frozen=True, slots=True)
class ShownProof:
    """The proof of one revision; `waits` where that revision is proposed and another one runs."""

    proof: str
    revision: str
    waits: bool
    is_proved: bool
    rows: tuple[ShownRow, ...]
    failed: int
    live: int
    solver: str
    made_at: Instant


async def proofs_shown(platform: Platform, caller: Caller, view: CampaignView, speech: Speech) -> list[ShownProof]:
    """The newest proof of what runs, and of what is proposed beside it."""
    revisions = dict.fromkeys((view.revision, view.proposed))
    found = [await newest_proof(platform, caller, revision) for revision in revisions]
    return [_shown(proof, proof.revision != view.revision, speech) for proof in found if proof is not None]


def _shown(proof: Proof, waits: bool, speech: Speech) -> ShownProof:
    rows = tuple(_row(row, speech) for row in proof.rows)
    return ShownProof(
        proof=proof.proof,
        revision=proof.revision,
        waits=waits,
        is_proved=proof.is_proved,
        rows=rows,
        failed=sum(not row.is_proved for row in rows),
        live=len(proof.live),
        solver=proof.solver,
        made_at=proof.made_at,
    )


def _row(row: Mapping[str, Any], speech: Speech) -> ShownRow:
    verdict = Verdict(row["verdict"])
    return ShownRow(
        obligation=row["obligation"],
        words=obligation_words(speech, row["obligation"]),
        mark=_MARKS[verdict],
        verdict=speech.gettext(VERDICT_WORDS[verdict]),
        is_proved=verdict is Verdict.PROVED,
        milliseconds=f"{row['ms']:.1f}",
        witness=speech.pick(row["witness"]["words"]) if row["witness"] else "",
        hint=speech.pick(row["hint"]) if row["hint"] else "",
    )
