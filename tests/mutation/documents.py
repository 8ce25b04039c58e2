"""Documents as nested dicts, and what reading makes of them: the same path that a file takes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from makegood.clock import Instant
from makegood.documents.document import PolicyDocument
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.domain.brief import Brief
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Policy
from makegood.money import format_money, parse_money

Document = dict[str, Any]
NOW = Instant.parse("2026-12-01T00:00:00Z")
CURRENCY = "CNY"


def money(minor: int) -> str:
    """As a document writes it."""
    return format_money(minor, CURRENCY)


def minor(text: str) -> int:
    """Minor units of a money text."""
    return parse_money(text).minor


def source(name: str, document: Mapping[str, Any]) -> Source:
    """A file that holds the document; JSON is YAML."""
    return Source(f"{name}.yaml", json.dumps(document, ensure_ascii=False).encode())


def read_policy_document(document: Mapping[str, Any]) -> PolicyDocument:
    """A policy that is right."""
    found = read_documents([source("policy", document)], now=NOW).policies[0]
    assert not found.has_errors, [finding.message for finding in found.findings]
    return found


def read_campaign_document(document: Mapping[str, Any], policy: PolicyDocument) -> Campaign | None:
    """The campaign, or None where reading refuses the document."""
    return read_documents([source("campaign", document)], now=NOW, policy=policy).campaigns[0].campaign


def read_brief_document(document: Mapping[str, Any], policy: PolicyDocument) -> Brief:
    """A brief that is right."""
    found = read_documents([source("brief", document)], now=NOW, policy=policy).briefs[0]
    assert found.brief is not None, [finding.message for finding in found.findings]
    return found.brief


@dataclass(frozen=True)
class Trio:
    """A policy, a brief and a campaign, beside campaigns that are live; read once, when first asked for."""

    seed: str
    policy_document: Document
    brief_document: Document
    campaign_document: Document
    live_documents: Sequence[Document] = ()

    @cached_property
    def read_policy(self) -> PolicyDocument:
        """The policy with the environment of its conditions."""
        return read_policy_document(self.policy_document)

    @cached_property
    def policy(self) -> Policy:
        """The policy."""
        assert self.read_policy.policy is not None
        return self.read_policy.policy

    @cached_property
    def brief(self) -> Brief:
        """The brief."""
        return read_brief_document(self.brief_document, self.read_policy)

    @cached_property
    def campaign(self) -> Campaign | None:
        """The campaign as it was before any edit."""
        return read_campaign_document(self.campaign_document, self.read_policy)

    @cached_property
    def live(self) -> tuple[Campaign, ...]:
        """The campaigns that are live."""
        found = [read_campaign_document(document, self.read_policy) for document in self.live_documents]
        return tuple(one for one in found if one is not None)

    def __reduce__(self) -> tuple[Any, ...]:
        """Only the documents travel between processes: they are read again where they are needed."""
        parts = (self.seed, self.policy_document, self.brief_document, self.campaign_document, self.live_documents)
        return (type(self), parts)

    def text(self, edited: Mapping[str, Any] | None = None) -> str:
        """All documents as a person reads them; `edited` instead of the campaign."""
        campaign = self.campaign_document if edited is None else edited
        parts = [self.policy_document, self.brief_document, campaign, *self.live_documents]
        return "---\n".join(yaml.safe_dump(part, allow_unicode=True, sort_keys=False, width=120) for part in parts)
