"""Making proofs: the solver runs in a thread of its own, one proof at a time, and what it says is kept.

While it thinks no lock of the store and no transaction is held. What the proof was made against is written into it, and
compared under the house's lock when something goes live.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from makegood.clock import stopwatch
from makegood.documents.document import CampaignDocument, PolicyDocument
from makegood.domain.brief import Brief
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Policy
from makegood.limits import PROOF_MS_MAX, PROOF_QUESTIONS_BYTES_MAX
from makegood.proof.effort import Effort
from makegood.proof.verdict import Exposure, Report, Row, Verdict
from makegood.proof.words import words
from makegood.services.access import Caller
from makegood.services.live import brief_of, campaign_of
from makegood.services.platform import Platform
from makegood.services.proofs import NO_SOLVER, PROVER, Proof, proof_of_world
from makegood.store import campaigns, proofs
from makegood.store.proofs import World
from makegood.telemetry import log

_HARMLESS = "can_ever_apply"  # A policy under which a campaign never applies grants nothing wrong.

Rows = list[tuple[str | None, Row]]  # Each with the campaign whose obligation it is; None: of what the proof is about.
Work = Callable[[Sequence[Campaign]], tuple[Rows, Report]]


async def prove_revision(
    platform: Platform, caller: Caller, world: World, document: CampaignDocument, policy: PolicyDocument
) -> Proof | None:
    """The proof of a campaign's revision in this world: the one that is kept, or a new one. None without a solver.

    None also where the brief cannot be read by the policy: then there is nothing to prove against.
    """
    pool, house = platform.store.pool, caller.house.id
    known = await proof_of_world(platform, caller.house, world)
    if known is not None and known.is_final:
        return known
    stored = await campaigns.document(pool, house, world.brief)
    brief = brief_of(stored, policy) if stored is not None else None
    if brief is None or document.campaign is None or policy.policy is None:
        return None
    work = _campaign_work(document.campaign, brief, policy.policy)
    return await _made(platform, caller, document.id, world, policy, work, world.live)


async def prove_policy_over_live(
    platform: Platform, caller: Caller, world: World, policy: PolicyDocument, members: Sequence[tuple[str, str]]
) -> Proof | None:
    """The proof that everything live keeps a new policy, and each live campaign its obligations under it.

    `members` are (revision, brief) of what has not ended. The rules are proved over every subset of them; what else
    hangs on the policy (its schema, its stages, its owners, its bounds) is proved for each alone.
    """
    known = await proof_of_world(platform, caller.house, world)
    if known is not None and known.is_final:
        return known
    rows = await campaigns.documents(platform.store.pool, caller.house.id, [name for pair in members for name in pair])
    assert policy.policy is not None
    briefs = {rows[revision]["subject"]: rows[brief] for revision, brief in members}
    work = _policy_work(policy, briefs)
    return await _made(platform, caller, policy.policy.currency, world, policy, work, [one for one, _ in members])


def _campaign_work(campaign: Campaign, brief: Brief, policy: Policy) -> Work:
    def work(live: Sequence[Campaign]) -> tuple[Rows, Report]:
        from makegood.proof.prove import prove_campaign

        report = prove_campaign(campaign, brief, policy, live, Effort())
        return [(None, row) for row in report.rows], report

    return work


def _policy_work(document: PolicyDocument, briefs: Mapping[str, Mapping[str, Any]]) -> Work:
    policy = document.policy
    assert policy is not None

    def work(live: Sequence[Campaign]) -> tuple[Rows, Report]:
        from makegood.proof.prove import prove_campaign, prove_policy

        ends = stopwatch() + PROOF_MS_MAX * 1_000_000
        report = prove_policy(policy, live, Effort())
        rows: Rows = [(None, row) for row in report.rows]
        for campaign in live:
            brief = brief_of(briefs[campaign.id], document)
            if brief is None:
                rows.append((campaign.id, Row("inside_brief", Verdict.UNKNOWN, 0.0, "")))
                continue
            left = max(0, (ends - stopwatch()) // 1_000_000)
            alone = prove_campaign(campaign, brief, policy, (), Effort(total_ms=left))
            rows += [(campaign.id, row) for row in alone.rows if row.obligation != _HARMLESS]
        return rows, report

    return work


async def _made(
    platform: Platform,
    caller: Caller,
    subject: str,
    world: World,
    policy: PolicyDocument,
    work: Work,
    members: Sequence[str],
) -> Proof | None:
    """A new proof, kept. `members` are the live revisions that can grant something; None without a solver."""
    pool, house = platform.store.pool, caller.house.id
    stored = await campaigns.documents(pool, house, members)

    def solve() -> dict[str, Any]:
        try:
            rows, report = work(_readable((stored[revision] for revision in members), policy))
        except ModuleNotFoundError:
            raise
        except Exception as error:  # Whatever it is, nothing was shown; the others of the call go on.
            log.error("the_prover_failed", subject=subject, revision=world.revision, exc_info=error)
            rows, report = _failed(world), Report((), None, "none")
        return _as_stored(world, rows, report)

    try:
        made = await asyncio.get_running_loop().run_in_executor(platform.prover, solve)
    except ModuleNotFoundError as error:
        if error.name != "z3":
            raise
        log.warning(NO_SOLVER)
        return None
    await proofs.keep(pool, house, caller.principal, subject, made)
    return await proof_of_world(platform, caller.house, world)


def _failed(world: World) -> Rows:
    hint = words("the prover failed; the log of the server says how", "证明器出错；原因见服务器日志")
    return [(None, Row("inside_brief" if world.brief else "inside_policy", Verdict.UNKNOWN, 0.0, "", hint=hint))]


def _readable(rows: Iterable[Mapping[str, Any]], policy: PolicyDocument) -> list[Campaign]:
    """What the policy can read: nothing else grants anything under it (see `live`)."""
    documents = [campaign_of(row, policy) for row in rows]
    return [one.campaign for one in documents if one.campaign is not None and not one.has_errors]


def _as_stored(world: World, rows: Rows, report: Report) -> dict[str, Any]:
    """The columns of a proof. A row whose question is too long to keep says nothing: nobody could check it again."""
    kept, questions, room = [], [], PROOF_QUESTIONS_BYTES_MAX
    for campaign, row in rows:
        fits = len(row.question.encode()) <= room
        question = row.question if fits else ""
        room -= len(question.encode())
        questions.append(question)
        kept.append(_row(campaign, row, question, row.verdict if fits else Verdict.UNKNOWN))
    made: dict[str, Any] = {
        "revision": world.revision,
        "brief": world.brief,
        "policy": world.policy,
        "live_set": list(world.live),
        "is_proved": bool(kept or not world.brief) and all(row["verdict"] == Verdict.PROVED for row in kept),
        "rows": kept,
        "exposure": _exposure(report.exposure),
        "solver": f"{report.solver}, {PROVER}",
    }
    return made | {"proof": proofs.name_of(made), "questions": questions}


def _exposure(exposure: Exposure | None) -> dict[str, int] | None:
    return None if exposure is None else asdict(exposure)


def _row(campaign: str | None, row: Row, question: str, verdict: Verdict) -> dict[str, Any]:
    witness = row.witness
    return {
        "obligation": row.obligation,
        "campaign": campaign,
        "verdict": verdict.value,
        "ms": round(float(row.ms), 3),
        "witness": None if witness is None else {
            "payment": dict(witness.payment),
            "discount_minor": witness.discount_minor,
            "total_minor": witness.total_minor,
            "others": None if witness.others is None else dict(witness.others),
            "words": dict(witness.words),
        },
        "path": row.path,
        "hint": None if row.hint is None else dict(row.hint),
        "question_sha256": proofs.name_of_question(question),
        "proved_if": row.proved_if,
    }  # fmt: skip
