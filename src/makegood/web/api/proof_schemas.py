"""JSON Schemas of proofs: more components of the OpenAPI document."""

from makegood.proof.verdict import Verdict
from makegood.web.api.schemas import (
    BOOL,
    COUNT,
    MOMENT,
    PROOF_NAME,
    REVISION,
    TEXT,
    WORDS,
    Schema,
    listed,
    nullable,
    one_of,
    record,
    ref,
)

WITNESS = record(
    "The smallest payment that is granted something wrong.",
    {
        "payment": {"type": "object", "description": "As the API takes a payment."},
        "discount_minor": COUNT | {"description": "What the campaign takes off it."},
        "total_minor": COUNT | {"description": "What it gets together with other campaigns."},
        "others": nullable({"type": "object", "additionalProperties": {"type": "integer"}}),
        "words": WORDS,
    },
)
_PROOF_ROW: dict[str, Schema] = {
    "obligation": TEXT,
    "campaign": nullable(TEXT) | {"description": "Whose obligation it is, in the proof of a policy."},
    "verdict": one_of(Verdict, "Only `proved` lets a campaign run."),
    "ms": {"type": "number", "minimum": 0, "description": "Wall time of the question."},
    "witness": nullable(ref("Witness")),
    "path": TEXT | {"description": "JSON Pointer of the value at fault in the campaign; empty where there is none."},
    "hint": nullable(WORDS),
    "question_sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "proved_if": {
        "enum": ["unsat", "sat"],
        "description": "The answer of any solver that proves it.",
    },
}
PROOF_ROW = record("One obligation of a proof.", _PROOF_ROW)
PROOF = record(
    "The proof of a revision: what it was made against, and every obligation with its question.",
    {
        "proof": PROOF_NAME,
        "revision": REVISION,
        "brief": nullable(REVISION) | {"description": "Null in the proof of a policy."},
        "policy": REVISION,
        "live": listed(REVISION) | {"description": "The revisions that were live beside it, sorted."},
        "is_proved": BOOL,
        "rows": listed(
            record(
                "One obligation, with its question.",
                {**_PROOF_ROW, "question": TEXT | {"description": "SMT-LIB 2, whole: any solver can answer it."}},
            )
        ),
        "exposure": nullable(
            record(
                "The most that it can lose, minor units, as its limits and every possible payment bound it.",
                {"payment_minor": COUNT, "payer_minor": COUNT, "per_second_minor": COUNT, "total_minor": COUNT},
            )
        ),
        "solver": TEXT,
        "made_at": MOMENT,
    },
)

PROOF_COMPONENTS: dict[str, Schema] = {"Witness": WITNESS, "ProofRow": PROOF_ROW, "Proof": PROOF}
