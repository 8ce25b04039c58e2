"""What is sent to be published: read, and refused as a whole where anything in it is wrong."""

import asyncio
from collections.abc import Sequence
from typing import Any

from makegood.documents.document import Bundle
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.domain.review import Scope
from makegood.errors import FieldError, Problem, ProblemCode
from makegood.findings import Finding, FindingCode, Severity
from makegood.limits import ERRORS_REPORTED_MAX
from makegood.services.access import Caller, require
from makegood.services.live import live_set
from makegood.services.platform import Platform
from makegood.store import campaigns as rows


async def read_sources(platform: Platform, caller: Caller, sources: Sequence[Source]) -> Bundle:
    """The documents, read by the policies in force; by one of the sources where its currency has none in force.

    Long conditions take long to check: that is not done in the loop that answers payments.
    """
    now = (await live_set(platform, caller.house)).store_clock()
    alone = await asyncio.to_thread(read_documents, sources, now=now)
    in_force = await rows.policies_in_force(platform.store.pool, caller.house.id)
    taken = {row["subject"] for row in in_force}
    readers = [Source(row["revision"], row["canonical"]) for row in in_force]
    readers += [
        Source(one.file, one.canonical) for one in alone.policies if one.policy and one.policy.currency not in taken
    ]
    own = {document.file for document in alone.policies}
    others = [source for source in sources if source.file not in own]
    rest = await asyncio.to_thread(read_documents, [*readers, *others], now=now)
    return Bundle(alone.policies, rest.briefs, rest.campaigns, rest.signatures, rest.strays)


def require_scopes(caller: Caller, bundle: Bundle) -> None:
    """Refuse a caller who may not publish each kind of document that is there. Raises Problem(SCOPE_IS_MISSING)."""
    if bundle.policies:
        require(caller, Scope.APPROVE)
    if bundle.briefs:
        require(caller, Scope.BRIEF)
    if bundle.campaigns:
        require(caller, Scope.AUTHOR)
    require(caller, Scope.APPROVE, Scope.BRIEF, Scope.AUTHOR)


def refuse_errors(bundle: Bundle) -> None:
    """Refuse documents with an error, all of them together. Raises Problem(DOCUMENT_IS_INVALID) with every place."""
    wrong = [
        one for one in bundle.findings if one.severity is Severity.ERROR or one.code is FindingCode.ID_IS_DUPLICATE
    ]
    if wrong:
        errors = tuple(_field_error(finding) for finding in wrong[:ERRORS_REPORTED_MAX])
        raise Problem(ProblemCode.DOCUMENT_IS_INVALID, "nothing was done: a document has errors", errors=errors)


def refuse_past(bundle: Bundle) -> None:
    """Refuse a window that is over. Raises Problem(WINDOW_IS_PAST)."""
    past = [finding for finding in bundle.findings if finding.code is FindingCode.WINDOW_IS_PAST]
    if past:
        errors = tuple(_field_error(finding) for finding in past)
        raise Problem(ProblemCode.WINDOW_IS_PAST, "nothing was published: a window is past", errors=errors)


def _field_error(finding: Finding) -> FieldError:
    place = f"{finding.file}:{finding.line}" if finding.line else str(finding.file)
    return FieldError(finding.path, f"{place}: {finding.message} ({finding.code})", finding.hint)


def documents_of(bundle: Bundle) -> list[tuple[rows.NewDocument, tuple[Finding, ...]]]:
    """What to store, with what was found: policies, briefs, signatures, campaigns."""
    found: list[tuple[str, str, Any, str | None]] = [
        *(("policy", one.policy.currency, one, None) for one in bundle.policies if one.policy is not None),
        *(("brief", one.id, one, None) for one in bundle.briefs),
        *(("signature", one.signature.document, one, None) for one in bundle.signatures if one.signature is not None),
        *(("campaign", one.id, one, one.currency) for one in bundle.campaigns),
    ]
    return [
        (rows.NewDocument(kind, subject, one.revision, one.canonical, currency), one.findings)
        for kind, subject, one, currency in found
    ]


def subject_of(bundle: Bundle) -> str:
    """What the audit row of publishing is found by."""
    ids = [*(campaign.id for campaign in bundle.campaigns), *(brief.id for brief in bundle.briefs)]
    revisions = [one.revision for one in (*bundle.policies, *bundle.signatures)]
    return (ids + revisions)[0]
