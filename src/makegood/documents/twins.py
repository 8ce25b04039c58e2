"""Two documents of one name in one call: which is meant cannot be known, so each is told of the other."""

from collections.abc import Sequence
from dataclasses import replace

from makegood.documents.document import BriefDocument, CampaignDocument, PolicyDocument
from makegood.documents.source import Tree
from makegood.findings import Finding, FindingCode, Severity


def mark_campaigns(documents: Sequence[CampaignDocument], trees: Sequence[Tree]) -> tuple[CampaignDocument, ...]:
    """The documents, with a warning on each whose id another one has."""
    marked, twins = [], _twins([document.id for document in documents])
    for index, document in enumerate(documents):
        twin = twins.get(index)
        if twin is not None:
            message = f"`{document.id}` is also the campaign of {documents[twin].file}"
            warning = _finding(Severity.WARNING, message, trees[index], "id")
            document = replace(document, findings=(*document.findings, warning))  # noqa: PLW2901
        marked.append(document)
    return tuple(marked)


def mark_briefs(documents: Sequence[BriefDocument], trees: Sequence[Tree]) -> tuple[BriefDocument, ...]:
    """The documents, with a warning on each whose campaign another one is for."""
    marked, twins = [], _twins([document.id for document in documents])
    for index, document in enumerate(documents):
        twin = twins.get(index)
        if twin is not None:
            message = f"{documents[twin].file} is also a brief for `{document.id}`"
            warning = _finding(Severity.WARNING, message, trees[index], "campaign")
            document = replace(document, findings=(*document.findings, warning))  # noqa: PLW2901
        marked.append(document)
    return tuple(marked)


def mark_policies(documents: Sequence[PolicyDocument], trees: Sequence[Tree]) -> tuple[PolicyDocument, ...]:
    """The documents, with an error on every policy after the first for one currency: a house has one."""
    marked = []
    currencies = [document.policy.currency if document.policy is not None else "" for document in documents]
    for index, document in enumerate(documents):
        first = currencies.index(currencies[index])
        if currencies[index] and first < index:
            message = f"{documents[first].file} is a policy for {currencies[index]} already; a house has one"
            error = _finding(Severity.ERROR, message, trees[index], "currency")
            document = replace(document, policy=None, findings=(*document.findings, error))  # noqa: PLW2901
        marked.append(document)
    return tuple(marked)


def _twins(ids: Sequence[str]) -> dict[int, int]:
    """For each index whose id is also elsewhere: the first other place."""
    places: dict[str, list[int]] = {}
    for index, known in enumerate(ids):
        places.setdefault(known, []).append(index)
    shared = [found for known, found in places.items() if known and len(found) > 1]
    return {index: found[index == found[0]] for found in shared for index in found}


def _finding(severity: Severity, message: str, tree: Tree, key: str) -> Finding:
    assert tree.root is not None
    node = tree.root.entries()[key].value
    return Finding(
        severity, FindingCode.ID_IS_DUPLICATE, message, f"/{key}", tree.source.file, node.line, node.column
    )  # fmt: skip
