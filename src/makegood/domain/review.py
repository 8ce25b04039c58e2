"""How a revision comes to run: its states, and the three principals it takes."""

from dataclasses import dataclass
from enum import StrEnum

from makegood.clock import Instant
from makegood.domain.brief import Window


class Scope(StrEnum):
    """What a key may do. docs/reference/scopes.md explains each."""

    AUTHOR = "author"
    BRIEF = "brief"
    APPROVE = "approve"
    RESUME = "resume"
    OPERATE = "operate"
    QUOTE = "quote"
    READ = "read"


class Guard(StrEnum):
    """Guards that a test house may be made without.

    docs/adr/0014-a-test-house-may-be-made-without-a-guard.md says why.
    """

    PROOF = "proof"
    COLLAR = "collar"
    DETECTOR = "detector"
    STAGE = "stage"


class State(StrEnum):
    """States of a campaign revision."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    STOPPED = "stopped"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Review:
    """What is known of a revision on its way to running.

    `unproved` are the obligations that its proof does not say yes to; `proof_absent` says that there is no proof.
    """

    campaign_author: str
    brief_author: str | None
    policy_present: bool
    approvers: frozenset[str]
    approvals_needed: int
    signatures_missing: tuple[str, ...] = ()
    unproved: tuple[str, ...] = ()
    proof_absent: bool = False

    def counted(self) -> frozenset[str]:
        """Approvals that count: by neither author. Two keys of one principal are one principal already."""
        return self.approvers - {self.campaign_author, self.brief_author or self.campaign_author}

    def missing(self) -> tuple[str, ...]:
        """What is still missing before it may run, in a fixed order; empty means it may."""
        missing: list[str] = []
        if not self.policy_present:
            missing.append("policy")
        if self.brief_author is None:
            missing.append("brief")
        elif self.brief_author == self.campaign_author:
            missing.append("brief_by_another_principal")
        missing += ["proof"] if self.proof_absent else [f"proof:{obligation}" for obligation in self.unproved]
        missing += [f"signature:{funder}" for funder in self.signatures_missing]
        lacking = self.approvals_needed - len(self.counted())
        if lacking > 0:
            missing.append(f"approval:{lacking}")
        return tuple(missing)


def state_in_time(window: Window, now: Instant) -> State:
    """The state of a revision that is in the live set and not stopped."""
    if now < window.opens:
        return State.SCHEDULED
    return State.RUNNING if window.holds(now) else State.ENDED
