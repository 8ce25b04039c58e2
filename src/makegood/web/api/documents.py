"""Documents: proposing policies, briefs, campaigns and signatures, and saying yes to a revision."""

from typing import Any

from makegood.documents.source import Source
from makegood.errors import FieldError
from makegood.limits import DOCUMENTS_BODY_BYTES_MAX, DOCUMENTS_PER_CALL_MAX, TEXT_CHARS_MAX
from makegood.services import campaigns
from makegood.services.proofs import read_proof, read_questions
from makegood.web.api.answers import as_json
from makegood.web.api.operation import Call
from makegood.web.body import invalid, want_keys, want_text


async def publish_documents(call: Call) -> Any:
    """Proposes each document for the live set."""
    documents = want_keys(call.body, frozenset({"documents"}))["documents"]
    if not isinstance(documents, list) or not 0 < len(documents) <= DOCUMENTS_PER_CALL_MAX:
        raise invalid(FieldError("/documents", f"must be a list of 1 to {DOCUMENTS_PER_CALL_MAX} documents"))
    sources = [_source(entry, f"/documents/{index}") for index, entry in enumerate(documents)]
    return {"published": await campaigns.publish(call.platform, call.caller, sources)}


async def approve_revision(call: Call) -> Any:
    """A principal's yes to the hash of a revision."""
    want_keys(call.body, frozenset())
    return await campaigns.approve(call.platform, call.caller, call.id("revision"))


async def get_proof(call: Call) -> Any:
    """The newest proof of a revision, with every question as SMT-LIB text."""
    proof = await read_proof(call.platform, call.caller, call.id("revision"))
    questions = await read_questions(call.platform, call.caller, proof)
    rows = [{**row, "question": question} for row, question in zip(proof.rows, questions, strict=True)]
    return {**as_json(proof), "rows": rows}


def _source(entry: Any, path: str) -> Source:
    body = want_keys(entry, frozenset({"file", "text"}), path=path)
    file = want_text(body, "file", TEXT_CHARS_MAX, path)
    text = want_text(body, "text", DOCUMENTS_BODY_BYTES_MAX, path)
    return Source(file, text.encode())
