"""Stages that open by themselves: once a second each is judged by what it granted, and opens on evidence alone."""

import asyncio
from math import inf, log
from typing import Any

from makegood.clock import stopwatch
from makegood.documents.worst import worst_loss
from makegood.domain.review import Guard
from makegood.guard.detector import Detector
from makegood.guard.detector_state import join
from makegood.guard.health import Evidence
from makegood.guard.health_watch import look
from makegood.guard.stage import following, last_step
from makegood.guard.stage_decision import Loudness, StageDecision, Terms, decide_stage, loudest
from makegood.guard.stage_words import decision_words
from makegood.limits import STAGE_PAYERS_MAX
from makegood.services.access import House
from makegood.services.guarded import Guarded, moment_of
from makegood.services.live import LiveSet
from makegood.services.platform import Platform
from makegood.services.slices import slices_of
from makegood.services.watching import MERGED_PORTION, guarded_of
from makegood.store import campaigns as campaign_rows
from makegood.store import guards as rows
from makegood.telemetry import STAGES_JUDGED, STAGES_OPENED
from makegood.telemetry import log as journal

OPENER = "makegood"  # Whoever opens stages on evidence, in the audit trail.


async def look_at_stages(platform: Platform, house: House, known: LiveSet) -> list[StageDecision]:
    """Judge every stage that is not the last of its campaign, and open the next where the evidence is there."""
    guarded = guarded_of(platform, house, known)
    found = await rows.evidence_of_stages(platform.store.pool, house.id, STAGE_PAYERS_MAX)
    merged = await _merged(platform, house, known) if found else None
    guarded.stages = {
        name: watch for name, watch in guarded.stages.items() if name in {r["campaign_id"] for r in found}
    }
    judged = {row["campaign_id"]: await _judge(platform, house, known, guarded, merged, row) for row in found}
    guarded.decisions = {name: decision for name, decision in judged.items() if decision is not None}
    return list(guarded.decisions.values())


async def _judge(
    platform: Platform, house: House, known: LiveSet, guarded: Guarded, merged: Detector | None, row: dict[str, Any]
) -> StageDecision | None:
    name, revision = row["campaign_id"], row["revision"]
    terms = _terms(house, known, name, revision, row)
    if terms is None:
        return None  # This process does not know the revision yet.
    watch = look(guarded.stages.get(name), revision, row["opened"], _evidence(house, row), stopwatch())
    guarded.stages[name] = watch
    decision = decide_stage(watch, terms, _loudness(guarded.detector, merged, name))
    STAGES_JUDGED.labels(decision.because.value).inc()
    if decision.open_next and terms.next_minor is not None:
        evidence = decision.plain() | {"words": dict(decision_words(decision, _currency(known, name)))}
        arguments = (OPENER, name, revision, terms.next_minor, evidence)
        outcome = await campaign_rows.open_stage(platform.store.pool, house.id, *arguments)
        if outcome["outcome"] == "done":  # Else another process did, or somebody stopped it.
            STAGES_OPENED.inc()
            journal.info("stage_opened", house=house.name, campaign=name, **decision.plain())
    elif house.live:
        # The collar takes the store's word for some seconds. A test house goes by its payments' clock, which may stand.
        moment = moment_of(house, known.store_clock(), known.leased_until)
        guarded.collar(_currency(known, name)).believe(name, row["left_open"], moment)
    return decision


def _currency(known: LiveSet, name: str) -> str:
    """The currency of a campaign that is known."""
    return next(currency for currency, snapshot in known.snapshots.items() if name in snapshot.campaigns)


def _terms(house: House, known: LiveSet, name: str, revision: str, row: dict[str, Any]) -> Terms | None:
    for currency, snapshot in known.snapshots.items():
        campaign, numbers = snapshot.campaigns.get(name), known.guarded.numbers[currency].get(name)
        if campaign is None or numbers is None or numbers.revision != revision:
            continue
        slices = slices_of(house, campaign, snapshot.policy, numbers.stage_first_max)
        return Terms(
            next_minor=following(slices, row["opened"]),
            slice_minor=last_step(slices, row["opened"]),
            left_minor=row["left_open"],
            largest=worst_loss(campaign, snapshot.policy).payment_minor,
            spend_per_minute=numbers.expect.spend_per_minute,
            by_hand=campaign.opens_by_hand,
            one_payee="payee_id" in campaign.when,
        )
    return None


def _evidence(house: House, row: dict[str, Any]) -> Evidence:
    judged = 0 if Guard.COLLAR in house.guards_left_out else row["captured"]  # Every grant passes the collar.
    return Evidence(
        captured=row["captured"], judged=judged, spent_minor=row["spent"], released=row["released"],
        expired=row["expired"], payers=row["payers"], payers_bad=row["payers_bad"],
        payers_of_one_payee=row["payers_of_one_payee"], trips=row["trips"], alarms=row["alarms"],
    )  # fmt: skip


async def _merged(platform: Platform, house: House, known: LiveSet) -> Detector | None:
    if Guard.DETECTOR in house.guards_left_out:
        return None
    merged = Detector(known.guarded.watches, known.guarded.payments_a_year, portion=MERGED_PORTION)
    _, state = await rows.detector(platform.store.pool, house.id)
    if state is not None:
        await asyncio.to_thread(join, merged, state)
    return merged


def _loudness(own: Detector | None, merged: Detector | None, campaign: str) -> Loudness | None:
    """What detectors say of a campaign; None where it is not watched."""
    heard = [one for one in (own, merged) if one is not None and campaign in one.campaigns]
    if not heard:
        return None
    return loudest(
        Loudness(max(one.evidence(campaign).values(), default=-inf), log(one.payments_a_year), one.quiet(campaign))
        for one in heard
    )
