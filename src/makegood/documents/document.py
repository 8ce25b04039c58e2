"""What reading gives: one value a document, with its revision and its findings, and all of them as a bundle."""

from dataclasses import dataclass, field

from makegood.documents.signature import Signature
from makegood.domain.brief import Brief
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Policy
from makegood.findings import Finding, Severity
from makegood.rules.environment import Environment


@dataclass(frozen=True, slots=True)
class _Document:
    """`revision` names `canonical`. A document that could not be read is named by what it says, as it says it."""

    file: str
    revision: str
    canonical: bytes
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """Whether the document is refused; it may still have given its object, so ask this before publishing."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True)
class PolicyDocument(_Document):
    """A policy; `environment` is what conditions over its payments are checked in."""

    policy: Policy | None
    environment: Environment | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BriefDocument(_Document):
    """A brief; `id` is the campaign's, also where the rest could not be read."""

    id: str
    brief: Brief | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class CampaignDocument(_Document):
    """A campaign; `id` is known also where the rest could not be read, `currency` is its policy's."""

    id: str
    campaign: Campaign | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class SignatureDocument(_Document):
    """A signature."""

    signature: Signature | None


@dataclass(frozen=True, slots=True)
class Bundle:
    """Documents read together. `findings` are all of them, the documents' own and `strays`."""

    policies: tuple[PolicyDocument, ...]
    briefs: tuple[BriefDocument, ...]
    campaigns: tuple[CampaignDocument, ...]
    signatures: tuple[SignatureDocument, ...]
    strays: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, in the order policies, briefs, campaigns, signatures, files that are no document."""
        documents: tuple[_Document, ...] = (*self.policies, *self.briefs, *self.campaigns, *self.signatures)
        return (*(finding for document in documents for finding in document.findings), *self.strays)

    @property
    def has_errors(self) -> bool:
        """Whether anything in it is refused."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)
