"""Proofs as stored: what was proved against which world, and the questions that were put to the solver."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from makegood.store.pool import Encoded, Pool, call, in_house

_COLUMNS = "proof, revision, brief, policy, live_set, is_proved, rows, exposure, solver, created_at"
_NEWEST = f"select {_COLUMNS} from proofs where revision = $1 "  # noqa: S608 - a constant of ours


@dataclass(frozen=True, slots=True)
class World:
    """What a proof is about: a revision beside a brief (empty: a policy's) and a policy, among what is live."""

    revision: str
    brief: str
    policy: str
    live: tuple[str, ...]


HASHED = ("revision", "brief", "policy", "live_set", "is_proved", "rows", "exposure", "solver")


def name_of(proof: Mapping[str, Any]) -> str:
    """What a proof is named by: the hash of all that it says. Its rows name their questions by hash."""
    said = {name: proof[name] for name in HASHED}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "prf_" + hashlib.sha256(text.encode()).hexdigest()


def name_of_question(question: str) -> str:
    """What a row names its question by."""
    return hashlib.sha256(question.encode()).hexdigest()


async def live_beside(pool: Pool, house: int, currency: str, campaign: str) -> tuple[str, ...]:
    """The sorted revisions of a currency that are live, but for this campaign's (empty: all)."""
    async with in_house(pool, house) as connection:
        found = await connection.fetchval("select live_beside($1, $2, $3)", house, currency, campaign)
    return tuple(found)


async def keep(pool: Pool, house: int, principal: str, subject: str, proof: Mapping[str, Any]) -> None:
    """Keep a proof and audit it under `subject`: all its columns, and `questions`, one a row."""
    written = await asyncio.to_thread(_written, proof)
    await call(pool, "keep_proof", house, principal, subject, written)


def _written(proof: Mapping[str, Any]) -> Encoded:
    """The proof as JSON. Each question by itself: nothing else in the process runs while one text is written."""
    questions = ",".join(map(json.dumps, proof["questions"]))
    rest = json.dumps({name: value for name, value in proof.items() if name != "questions"})
    return Encoded(f'{rest[:-1]},"questions":[{questions}]}}')


async def of_world(pool: Pool, house: int, world: World) -> dict[str, Any] | None:
    """The newest proof of exactly this world, without its questions."""
    text = _NEWEST + (
        "and brief = $2 and policy = $3 and live_hash = hash_of_live_set($4) and live_set = $4 order by serial desc limit 1"
    )
    return await _one(pool, house, text, world.revision, world.brief, world.policy, list(world.live))


async def beside(pool: Pool, house: int, revision: str, brief: str, policy: str) -> dict[str, Any] | None:
    """The newest proof of a revision beside a brief and a policy, whatever was live then; without its questions."""
    text = _NEWEST + "and brief = $2 and policy = $3 order by serial desc limit 1"
    return await _one(pool, house, text, revision, brief, policy)


async def of_revision(pool: Pool, house: int, revision: str) -> dict[str, Any] | None:
    """The newest proof of a revision, without its questions."""
    return await _one(pool, house, _NEWEST + "order by serial desc limit 1", revision)


async def named(pool: Pool, house: int, proof: str) -> dict[str, Any] | None:
    """One proof by its name, without its questions."""
    return await _one(pool, house, f"select {_COLUMNS} from proofs where proof = $1", proof)  # noqa: S608 - as above


async def questions(pool: Pool, house: int, proof: str) -> Sequence[str]:
    """The questions of a proof as SMT-LIB text, one for each of its rows."""
    async with in_house(pool, house) as connection:
        found: list[str] = await connection.fetchval("select questions from proofs where proof = $1", proof)
    return found


async def _one(pool: Pool, house: int, text: str, *arguments: Any) -> dict[str, Any] | None:
    async with in_house(pool, house) as connection:
        row = await connection.fetchrow(text, *arguments)
    return None if row is None else dict(row)
