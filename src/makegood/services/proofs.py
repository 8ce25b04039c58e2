"""Proofs as people and programs read them: what each says, and what it was made against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from makegood import __version__
from makegood.clock import Instant
from makegood.domain.review import Scope
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.limits import ERRORS_REPORTED_MAX
from makegood.proof.installed import SOLVER_HINT, solver_is_there
from makegood.proof.verdict import Verdict
from makegood.services.access import Caller, House, require
from makegood.services.platform import Platform
from makegood.store import proofs
from makegood.store.proofs import World

PROVER = f"makegood {__version__}"
NO_SOLVER = f"the solver is not installed here; {SOLVER_HINT}"
BRIEF_HINT = "the policy in force refuses the brief, so there is nothing to prove against; publish another one"


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as it was kept. `live` are the revisions that it was made among; a policy's has no `brief`.

    Each row has `obligation`, `verdict`, `ms`, `witness`, `path` and `hint`; in a policy's proof `campaign` says whose
    obligation it is, and null that it is everybody's.
    """

    proof: str
    revision: str
    brief: str | None
    policy: str
    live: tuple[str, ...]
    is_proved: bool
    rows: tuple[Mapping[str, Any], ...]
    exposure: Mapping[str, int] | None
    solver: str
    made_at: Instant

    @property
    def unproved(self) -> tuple[str, ...]:
        """Obligations that are not proved, in order, each once."""
        return tuple(dict.fromkeys(row["obligation"] for row in self.failed))

    @property
    def failed(self) -> list[Mapping[str, Any]]:
        """The rows that are not proved."""
        return [row for row in self.rows if row["verdict"] != Verdict.PROVED]

    @property
    def is_final(self) -> bool:
        """Whether asking again would say the same: a time-out may pass, and another version may know better."""
        return self.solver.endswith(PROVER) and all(row["verdict"] != Verdict.UNKNOWN for row in self.rows)


async def world_of(platform: Platform, house: House, currency: str, campaign: str, *revisions: str) -> World:
    """The world of `revisions` (campaign, brief, policy) as it is now, among what is live beside the campaign."""
    live = await proofs.live_beside(platform.store.pool, house.id, currency, campaign)
    revision, brief, policy = revisions
    return World(revision, brief, policy, live)


async def proof_of_world(platform: Platform, house: House, world: World) -> Proof | None:
    """The proof of exactly this world, if one was made."""
    return _proof(await proofs.of_world(platform.store.pool, house.id, world))


async def proof_beside(platform: Platform, house: House, revision: str, brief: str, policy: str) -> Proof | None:
    """The newest proof of a revision beside this brief and policy, whatever was live then."""
    return _proof(await proofs.beside(platform.store.pool, house.id, revision, brief, policy))


async def proof_named(platform: Platform, house: House, name: str | None) -> Proof | None:
    """The proof of that name; None for none."""
    return None if name is None else _proof(await proofs.named(platform.store.pool, house.id, name))


async def newest_proof(platform: Platform, caller: Caller, revision: str) -> Proof | None:
    """The newest proof of a revision, if there is one."""
    require(caller, Scope.READ)
    return _proof(await proofs.of_revision(platform.store.pool, caller.house.id, revision))


async def read_proof(platform: Platform, caller: Caller, revision: str) -> Proof:
    """The newest proof of a revision. Raises Problem(NOT_FOUND)."""
    found = await newest_proof(platform, caller, revision)
    if found is None:
        raise Problem(ProblemCode.NOT_FOUND, "there is no proof of such a revision")
    return found


async def read_questions(platform: Platform, caller: Caller, proof: Proof) -> Sequence[str]:
    """The questions of a proof as SMT-LIB text, one for each of its rows: any other solver can answer them."""
    require(caller, Scope.READ)
    return await proofs.questions(platform.store.pool, caller.house.id, proof.proof)


def why_absent() -> str:
    """Why no proof could be made: there is no solver, or nothing to prove against."""
    return BRIEF_HINT if solver_is_there() else NO_SOLVER


def refuse_unproved(proof: Proof | None, detail: str) -> Proof:
    """The proof, if it says yes. Raises Problem(NOT_PROVED) with every row that does not, and its witness."""
    if proof is None:
        raise Problem(ProblemCode.NOT_PROVED, detail, hint=why_absent())
    if not proof.is_proved:
        errors = tuple(_field_error(row) for row in proof.failed[:ERRORS_REPORTED_MAX])
        raise Problem(ProblemCode.NOT_PROVED, detail, errors=errors)
    return proof


def _field_error(row: Mapping[str, Any]) -> FieldError:
    whose = f"{row['campaign']}: " if row["campaign"] else ""
    witness, hint = row["witness"], row["hint"]
    words = f": {witness['words']['en']}" if witness else ""
    return FieldError(
        row["path"], f"{whose}{row['obligation']} is {row['verdict']}{words}", hint["en"] if hint else None
    )


def _proof(row: Mapping[str, Any] | None) -> Proof | None:
    if row is None:
        return None
    return Proof(
        proof=row["proof"],
        revision=row["revision"],
        brief=row["brief"] or None,
        policy=row["policy"],
        live=tuple(row["live_set"]),
        is_proved=row["is_proved"],
        rows=tuple(row["rows"]),
        exposure=row["exposure"],
        solver=row["solver"],
        made_at=Instant.of(row["created_at"]),
    )
