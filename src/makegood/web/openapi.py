"""The OpenAPI 3.1 document, built from the table of operations. `openapi.json` is its checked-in copy.

`python -m makegood.web.openapi` prints it; `REGENERATE` is the whole command.
"""

import json
import re
import sys
from typing import Any

from makegood import __version__
from makegood.errors import ProblemCode
from makegood.limits import ID_CHARS_MAX
from makegood.web.api.chart_schemas import CHART_COMPONENTS
from makegood.web.api.operation import Once, Operation
from makegood.web.api.operations import OPERATIONS
from makegood.web.api.proof_schemas import PROOF_COMPONENTS
from makegood.web.api.schemas import COMPONENTS, ID, QUOTE_ID, REVISION, Schema, listed, record, ref
from makegood.web.api.settlement_schemas import SETTLEMENT_COMPONENTS
from makegood.web.api.stop_schemas import STOP_COMPONENTS
from makegood.web.problems import KINDS, MEDIA_TYPE, type_of

REGENERATE = "python -m makegood.web.openapi > src/makegood/web/openapi.json"

_ALWAYS = (
    ProblemCode.KEY_IS_MISSING,
    ProblemCode.KEY_IS_WRONG,
    ProblemCode.SCOPE_IS_MISSING,
    ProblemCode.HOST_IS_UNKNOWN,
    ProblemCode.STORE_IS_UNAVAILABLE,
    ProblemCode.INTERNAL,
)
_WITH_BODY = (
    ProblemCode.BODY_IS_TOO_LARGE,
    ProblemCode.BODY_IS_NOT_JSON,
    ProblemCode.BODY_IS_TOO_DEEP,
    ProblemCode.BODY_IS_TOO_SLOW,
    ProblemCode.MEDIA_TYPE_IS_WRONG,
    ProblemCode.REQUEST_IS_INVALID,
)
_ONCE = (ProblemCode.IDEMPOTENCY_KEY_IS_BUSY, ProblemCode.CONTENT_DIFFERS, ProblemCode.REQUEST_IS_INVALID)
_PATH_SCHEMAS = {"quote_id": QUOTE_ID, "revision": REVISION}
_HEALTH: dict[str, Any] = {
    "/livez": ("Is the process alive?", {"alive": True}, ()),
    "/readyz": ("Are payments decided now?", {"ready": True}, (ProblemCode.STORE_IS_UNAVAILABLE,)),
}
_TEXT = {
    "/metrics": ("Metrics", "Counters and timings, for a key with `read`.", "application/openmetrics-text"),
    "/openapi.json": ("This document", "The OpenAPI document of this server.", "application/json"),
}


def document() -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Makegood",
            "version": __version__,
            "summary": "Discounts at payment time: quote, capture, release, refund.",
            "description": "Money is integer minor units beside a currency. Every error is an RFC 9457 "
            "problem with a permanent `code`. A problem never stops a payment: without an "
            "answer, charge the full price.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths | _side_paths(),
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key from `makegood key create`: `mk_...`.",
                }
            },
            "schemas": COMPONENTS
            | PROOF_COMPONENTS
            | SETTLEMENT_COMPONENTS
            | STOP_COMPONENTS
            | CHART_COMPONENTS
            | {"Problem": _problem_schema()},
        },
    }


def problems_of(operation: Operation) -> tuple[ProblemCode, ...]:
    """Every problem that the operation can answer with, in the order of the table of problems."""
    codes = {*_ALWAYS, *operation.problems}
    if operation.body is not None:
        codes |= set(_WITH_BODY)
    if "{" in operation.path:
        codes.add(ProblemCode.NOT_FOUND)
    if operation.once is not Once.NO:
        codes |= set(_ONCE)
    if operation.once is Once.NEEDED:
        codes.add(ProblemCode.IDEMPOTENCY_KEY_IS_MISSING)
    return tuple(code for code in ProblemCode if code in codes)


def _operation(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": operation.answer}
    if operation.example is not None:
        content["example"] = operation.example
    said: dict[str, Any] = {"description": "Done.", "content": {"application/json": content}}
    responses: dict[str, Any] = {"200": said}
    if operation.tagged:
        said["headers"] = {"ETag": {"schema": {"type": "string"}, "required": True}}
        responses["304"] = {"description": "It still says the same.", "headers": said["headers"]}
    scopes = " or ".join(f"`{scope.value}`" for scope in operation.scopes)
    whole: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": f"{operation.says}\n\nNeeds a key with {scopes}.",
        "parameters": _parameters(operation),
        "responses": responses | _problem_responses(problems_of(operation), falls_back=operation.prices),
    }
    if operation.body is not None:
        whole["requestBody"] = {
            "required": not operation.body_optional,
            "content": {"application/json": {"schema": operation.body, "example": operation.body_example}},
        }
    return whole


def _parameters(operation: Operation) -> list[Schema]:
    parameters: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_SCHEMAS.get(name, ID)}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if operation.tagged:
        parameters.append({"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}})
    if operation.once is not Once.NO:
        parameters.append(_idempotency_key(operation))
    return parameters


def _idempotency_key(operation: Operation) -> Schema:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": operation.once is Once.NEEDED,
        "description": "New for each call, the same for a retry of it: it is done once and answered the same.",
        "schema": {"type": "string", "minLength": 1, "maxLength": ID_CHARS_MAX, "pattern": "^[!-~]+$"},
    }


def _problem_responses(codes: tuple[ProblemCode, ...], *, falls_back: bool = False) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status in sorted({KINDS[code].status for code in codes}):
        told = [code for code in codes if KINDS[code].status == status]
        narrowed: Schema = {
            "properties": {"status": {"const": status}, "code": {"enum": [code.value for code in told]}}
        }
        if falls_back:
            narrowed["required"] = ["fallback"]
        responses[str(status)] = {
            "description": "; ".join(f"`{code.value}`: {KINDS[code].title}" for code in told),
            "content": {MEDIA_TYPE: {"schema": {"allOf": [ref("Problem"), narrowed]}}},
        }
    return responses


def _problem_schema() -> Schema:
    return record(
        "An RFC 9457 problem. `code` is permanent; `type` leads to its explanation.",
        {
            "type": {"type": "string", "enum": [type_of(code) for code in ProblemCode]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "enum": [code.value for code in ProblemCode]},
        },
        {"errors": listed(ref("FieldError")), "hint": {"type": "string"}, "fallback": ref("Fallback")},
    )


def _side_paths() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for path, (says, example, codes) in _HEALTH.items():
        schema = record(says, {name: {"type": "boolean", "const": True} for name in example})
        ok = {"description": "Yes.", "content": {"application/json": {"schema": schema, "example": example}}}
        paths[path] = {
            "get": {
                "operationId": path[1:],
                "tags": ["Health"],
                "summary": says,
                "security": [],
                "responses": {"200": ok} | _problem_responses(codes),
            }
        }
    for path, (summary, says, media_type) in _TEXT.items():
        paths[path] = {
            "get": {
                "operationId": path[1:].partition(".")[0],
                "tags": ["Server"],
                "summary": summary,
                "description": says,
                "responses": {"200": {"description": says, "content": {media_type: {}}}} | _problem_responses(_ALWAYS),
            }
        }
    return paths


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
