"""Reading documents together: policies first, then everything that is checked against them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from makegood.clock import Instant
from makegood.documents.brief import read_brief
from makegood.documents.campaign import read_campaign
from makegood.documents.canonical import (
    canonical_brief,
    canonical_campaign,
    canonical_policy,
    canonical_signature,
    raw_bytes,
    revision_of,
)
from makegood.documents.document import (
    BriefDocument,
    Bundle,
    CampaignDocument,
    PolicyDocument,
    SignatureDocument,
)
from makegood.documents.hints import nearest
from makegood.documents.policy import read_policy
from makegood.documents.reading import Reading
from makegood.documents.scalar import Kind
from makegood.documents.signature import read_signature
from makegood.documents.source import Node, Source, Tree, parse_source
from makegood.documents.twins import mark_briefs, mark_campaigns, mark_policies
from makegood.domain.policy import Funder
from makegood.findings import Finding, FindingCode, Severity
from makegood.money import parse_money
from makegood.rules.environment import payment_environment

KINDS = ("policy/1", "brief/1", "campaign/1", "signature/1")


def read_documents(sources: Sequence[Source], *, now: Instant, policy: PolicyDocument | None = None) -> Bundle:
    """Every document in `sources` with every finding. Never raises for what a file says.

    Briefs and campaigns are read by the policy of their currency: `policy` where it has that currency, else one among
    the sources. `now` decides only which windows are past.
    """
    return _Reader(now, policy).read(sources)


@dataclass(slots=True)
class _Reader:
    now: Instant
    given: PolicyDocument | None
    strays: list[Finding] = field(default_factory=list)
    policies: tuple[PolicyDocument, ...] = ()

    def read(self, sources: Sequence[Source]) -> Bundle:
        trees: dict[str, list[Tree]] = {kind: [] for kind in KINDS}
        for source in sources:
            tree = parse_source(source)
            kind = self._kind(tree)
            if kind is None:
                self.strays += tree.findings
            else:
                trees[kind].append(tree)
        self.policies = mark_policies([self._policy(tree) for tree in trees["policy/1"]], trees["policy/1"])
        briefs = mark_briefs([self._brief(tree) for tree in trees["brief/1"]], trees["brief/1"])
        campaigns = mark_campaigns([self._campaign(tree) for tree in trees["campaign/1"]], trees["campaign/1"])
        signatures = tuple(self._signature(tree) for tree in trees["signature/1"])
        return Bundle(self.policies, briefs, campaigns, signatures, tuple(self.strays))

    def _kind(self, tree: Tree) -> str | None:
        """The kind that the `makegood:` line names; None after a stray finding, where there is none."""
        if tree.root is None:
            return None
        entry = tree.root.entries().get("makegood") if tree.root.kind is Kind.MAPPING else None
        if entry is None:
            self._stray(
                tree, tree.root, "has no `makegood:` line that says what it is", f"write `makegood: {KINDS[2]}`"
            )
            return None
        value = entry.value.value
        if entry.value.kind is Kind.STRING and value in KINDS:
            return str(value)
        message = f"`{str(value)[:64]}` is not a kind of document"
        self._stray(tree, entry.value, message, nearest(str(value)[:64], KINDS))
        return None

    def _stray(self, tree: Tree, node: Node, message: str, hint: str | None) -> None:
        where = ("/makegood", tree.source.file, node.line, node.column)
        self.strays.append(Finding(Severity.ERROR, FindingCode.KIND_IS_UNKNOWN, message, *where, hint))

    def _policy(self, tree: Tree) -> PolicyDocument:
        reading = Reading(tree, self.now)
        policy = read_policy(reading)
        policy = policy if not _yaml_is_broken(tree) else None
        canonical = canonical_policy(policy) if policy is not None else raw_bytes(reading.root().node)
        environment = payment_environment(policy.schema) if policy is not None else None
        return PolicyDocument(
            tree.source.file, revision_of(canonical), canonical, _all(reading), policy, environment
        )  # fmt: skip

    def _brief(self, tree: Tree) -> BriefDocument:
        reading, document = self._against_policy(tree)
        brief = read_brief(reading, document.policy if document else None)
        brief = brief if not _yaml_is_broken(tree) else None
        canonical = canonical_brief(brief, _currency(reading)) if brief is not None else raw_bytes(reading.root().node)
        identifier = brief.campaign if brief is not None else _said(tree, "campaign")
        return BriefDocument(
            tree.source.file, revision_of(canonical), canonical, _all(reading), identifier, brief, reading.currency
        )  # fmt: skip

    def _campaign(self, tree: Tree) -> CampaignDocument:
        reading, document = self._against_policy(tree)
        environment = document.environment if document else None
        campaign = read_campaign(reading, document.policy if document else None, environment)
        campaign = campaign if not _yaml_is_broken(tree) else None
        canonical = raw_bytes(reading.root().node)
        if campaign is not None:
            canonical = canonical_campaign(campaign, _currency(reading))
        identifier = campaign.id if campaign is not None else _said(tree, "id")
        return CampaignDocument(
            tree.source.file, revision_of(canonical), canonical, _all(reading), identifier, campaign, reading.currency
        )  # fmt: skip

    def _signature(self, tree: Tree) -> SignatureDocument:
        reading = Reading(tree, self.now)
        funders: dict[str, Funder] = {}
        for document in (*self.policies, *([self.given] if self.given else [])):
            funders |= document.policy.funders if document.policy is not None else {}
        signature = read_signature(reading, funders or None)
        signature = signature if not _yaml_is_broken(tree) else None
        canonical = canonical_signature(signature) if signature is not None else raw_bytes(reading.root().node)
        return SignatureDocument(tree.source.file, revision_of(canonical), canonical, _all(reading), signature)

    def _against_policy(self, tree: Tree) -> tuple[Reading, PolicyDocument | None]:
        document = self._policy_for(tree)
        currency = document.policy.currency if document and document.policy else None
        reading = Reading(tree, self.now, currency)
        if document is None:
            broken = bool(self.policies or self.given)
            message = "the policy has errors, so this is only half checked" if broken else "no policy to check this by"
            hint = None if broken else "give its policy in the same folder or with --policy"
            reading.error(reading.root(), FindingCode.POLICY_IS_MISSING, message, hint)
        return reading, document

    def _policy_for(self, tree: Tree) -> PolicyDocument | None:
        """The policy of the document's currency, else any; what differs is then found amount by amount."""
        every = [self.given] if self.given is not None else []
        usable = [document for document in (*every, *self.policies) if document.policy is not None]
        currency = _budget_currency(tree)
        fitting = [one for one in usable if one.policy is not None and one.policy.currency == currency]
        return next(iter(fitting or usable), None)


def _all(reading: Reading) -> tuple[Finding, ...]:
    return (*reading.tree.findings, *reading.findings)


def _yaml_is_broken(tree: Tree) -> bool:
    return any(finding.severity is Severity.ERROR for finding in tree.findings)


def _currency(reading: Reading) -> str:
    assert reading.currency is not None
    return reading.currency


def _said(tree: Tree, key: str) -> str:
    """What the document says under a key, if it is a text; else nothing."""
    assert tree.root is not None
    entry = tree.root.entries().get(key)
    return str(entry.value.value)[:128] if entry is not None and entry.value.kind is Kind.STRING else ""


def _budget_currency(tree: Tree) -> str | None:
    """The currency that the budget of a brief or a campaign is in."""
    assert tree.root is not None
    entries = tree.root.entries()
    if "limits" in entries and entries["limits"].value.kind is Kind.MAPPING:
        entries = entries["limits"].value.entries()
    budget = entries.get("budget")
    if budget is None or budget.value.kind is not Kind.STRING:
        return None
    try:
        return parse_money(budget.value.value).currency
    except ValueError:
        return None
