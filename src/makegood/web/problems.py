"""The one way to answer an error: RFC 9457, with a permanent code, the places that are wrong, a remedy."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from makegood.errors import MakegoodError, Problem, ProblemCode, StoreUnavailable
from makegood.telemetry import log

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1  # A store that restarts is back within seconds; callers add their own back-off.


@dataclass(frozen=True, slots=True)
class Kind:
    """What a code means over HTTP: the status, and a title that never varies."""

    status: int
    title: str


KINDS: Mapping[ProblemCode, Kind] = {
    ProblemCode.BODY_IS_TOO_LARGE: Kind(413, "The body is too large"),
    ProblemCode.BODY_IS_NOT_JSON: Kind(400, "The body is not JSON"),
    ProblemCode.BODY_IS_TOO_DEEP: Kind(400, "The body is nested too deeply"),
    ProblemCode.BODY_IS_TOO_SLOW: Kind(408, "The body did not arrive in time"),
    ProblemCode.MEDIA_TYPE_IS_WRONG: Kind(415, "The media type is wrong"),
    ProblemCode.REQUEST_IS_INVALID: Kind(422, "The request is invalid"),
    ProblemCode.PAYMENT_IS_INVALID: Kind(422, "The payment is invalid"),
    ProblemCode.CLOCK_IS_OFF: Kind(422, "The clock of the caller is off"),
    ProblemCode.CONTENT_DIFFERS: Kind(422, "The same id was used with other content"),
    ProblemCode.KEY_IS_MISSING: Kind(401, "A key is missing"),
    ProblemCode.KEY_IS_WRONG: Kind(401, "The key is wrong"),
    ProblemCode.SCOPE_IS_MISSING: Kind(403, "The key lacks a scope"),
    ProblemCode.HOST_IS_UNKNOWN: Kind(421, "This server does not answer to that host name"),
    ProblemCode.REQUEST_IS_FORGED: Kind(403, "The request did not come from this site"),
    ProblemCode.NOT_FOUND: Kind(404, "There is no such thing"),
    ProblemCode.METHOD_IS_WRONG: Kind(405, "The method is wrong"),
    ProblemCode.IDEMPOTENCY_KEY_IS_MISSING: Kind(400, "The idempotency key is missing"),
    ProblemCode.IDEMPOTENCY_KEY_IS_BUSY: Kind(409, "A request with this idempotency key is still running"),
    ProblemCode.QUOTE_HAS_EXPIRED: Kind(409, "The quote has expired"),
    ProblemCode.QUOTE_IS_RELEASED: Kind(409, "The quote is released"),
    ProblemCode.QUOTE_IS_CAPTURED: Kind(409, "The quote is captured"),
    ProblemCode.QUOTE_IS_NOT_CAPTURED: Kind(409, "The quote is not captured"),
    ProblemCode.CAPTURE_EXCEEDS_QUOTE: Kind(422, "The capture exceeds the quote"),
    ProblemCode.REFUND_EXCEEDS_PAYMENT: Kind(422, "The refunds exceed the payment"),
    ProblemCode.SUPERSEDED_IS_CAPTURED: Kind(409, "The superseded payment is captured"),
    ProblemCode.SUPERSEDED_IS_ANOTHER_PAYERS: Kind(422, "The superseded payment is another payer's"),
    ProblemCode.MONEY_OVERFLOWS: Kind(422, "The money is beyond every bound"),
    ProblemCode.PAYMENT_FILE_IS_WRONG: Kind(422, "The payment file is wrong"),
    ProblemCode.BACKUP_IS_WRONG: Kind(422, "The backup is wrong"),
    ProblemCode.DOCUMENT_IS_INVALID: Kind(422, "The document is invalid"),
    ProblemCode.POLICY_IS_MISSING: Kind(409, "The house has no policy yet"),
    ProblemCode.HOUSE_EXISTS: Kind(409, "The house exists already"),
    ProblemCode.STATE_FORBIDS: Kind(409, "The state forbids it"),
    ProblemCode.PRINCIPAL_MAY_NOT: Kind(403, "This principal may not do it"),
    ProblemCode.REVISION_HAS_CHANGED: Kind(412, "The revision has changed"),
    ProblemCode.BUDGET_IS_BELOW_USE: Kind(409, "The budget is below what is used"),
    ProblemCode.WINDOW_IS_PAST: Kind(422, "The window is past"),
    ProblemCode.NOT_PROVED: Kind(409, "It is not proved"),
    ProblemCode.RESUME_NEEDS_ANOTHER: Kind(409, "Another principal must confirm"),
    ProblemCode.STORE_IS_UNAVAILABLE: Kind(503, "The store is unavailable"),
    ProblemCode.TOO_MANY_REQUESTS: Kind(429, "Too many requests"),
    ProblemCode.INTERNAL: Kind(500, "A fault of ours"),
}

_HEADERS: Mapping[ProblemCode, dict[str, str]] = {
    ProblemCode.KEY_IS_MISSING: {"WWW-Authenticate": 'Bearer realm="makegood"'},
    ProblemCode.KEY_IS_WRONG: {"WWW-Authenticate": 'Bearer realm="makegood", error="invalid_token"'},
    ProblemCode.STORE_IS_UNAVAILABLE: {"Retry-After": str(RETRY_AFTER_SECONDS)},
    ProblemCode.TOO_MANY_REQUESTS: {"Retry-After": str(RETRY_AFTER_SECONDS)},
    # The rest of an unread body follows on the same connection; nothing more is read from it.
    ProblemCode.BODY_IS_TOO_LARGE: {"Connection": "close"},
    ProblemCode.BODY_IS_TOO_SLOW: {"Connection": "close"},
}


def as_problem(error: BaseException) -> Problem:
    """The problem that tells a caller of `error`. A fault of ours is logged, and told by reference only."""
    match error:
        case Problem():
            return error
        case StoreUnavailable():
            return Problem(
                ProblemCode.STORE_IS_UNAVAILABLE,
                "the store does not answer; nothing is known to have changed",
                hint="retry the same request: it is decided once",
            )
        case HTTPException(status_code=404):
            return Problem(ProblemCode.NOT_FOUND, "there is no such path")
        case HTTPException(status_code=405):
            return Problem(ProblemCode.METHOD_IS_WRONG, "this path does not take that method")
        case HTTPException(status_code=status) if 400 <= status < 500:
            return Problem(ProblemCode.REQUEST_IS_INVALID, "the request could not be read")
    reference = f"err_{uuid.uuid4().hex}"
    log.error("unexpected", reference=reference, exc_info=error)
    return Problem(ProblemCode.INTERNAL, f"something failed on our side; it is logged as `{reference}`")


def members(problem: Problem) -> dict[str, Any]:
    """The RFC 9457 members of a problem. `type` is a permanent address, relative to the server."""
    kind = KINDS[problem.code]
    body: dict[str, Any] = {
        "type": type_of(problem.code),
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "code": problem.code.value,
    }
    if problem.errors:
        body["errors"] = [
            {"path": error.path, "message": error.message} | ({"hint": error.hint} if error.hint else {})
            for error in problem.errors
        ]
    if problem.hint:
        body["hint"] = problem.hint
    return body


def type_of(code: ProblemCode) -> str:
    """The permanent address of a code's explanation, relative to the server."""
    return f"/docs/problems#{code.value}"


def full_price(amount: Any) -> dict[str, Any]:
    """What a payment does with a problem: it goes on, at full price. `amount` is what the request said."""
    readable = isinstance(amount, int) and not isinstance(amount, bool) and amount > 0
    return {"decided": False, "discount_minor": 0, "to_pay_minor": amount if readable else None}


def problem_response(error: BaseException, *, fallback: Mapping[str, Any] | None = None) -> Response:
    """The answer to an error, with the headers that its status calls for."""
    problem = as_problem(error)
    body = members(problem) | ({"fallback": fallback} if fallback is not None else {})
    headers = dict(_HEADERS.get(problem.code, {}))
    if isinstance(error, HTTPException) and error.headers:
        headers |= dict(error.headers)
    return Response(msgspec.json.encode(body), KINDS[problem.code].status, headers, MEDIA_TYPE)


async def answer_error(request: Request, error: Exception) -> Response:
    """The exception handler of the API. A call for a price always hears that the payment may go on."""
    fallback = getattr(request.state, "fallback", None)
    return problem_response(error, fallback=fallback)


EXPECTED: tuple[type[Exception], ...] = (MakegoodError, HTTPException)
