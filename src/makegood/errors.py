"""What can go wrong, with permanent codes.

    MakegoodError
    ├── Problem          the caller's mistake, or a state that forbids the call: a code, a place, a remedy
    └── StoreUnavailable the store is away, too slow or dying; nothing was decided

A refusal (a payment that gets no benefit) is not an error: see `makegood.domain.quote.Refusal`.
A bug of ours is an `assert`.
"""

from dataclasses import dataclass
from enum import StrEnum


class ProblemCode(StrEnum):
    """Permanent codes of RFC 9457 problems; docs/reference/problems.md explains each."""

    BODY_IS_TOO_LARGE = "body_is_too_large"
    BODY_IS_NOT_JSON = "body_is_not_json"
    BODY_IS_TOO_DEEP = "body_is_too_deep"
    BODY_IS_TOO_SLOW = "body_is_too_slow"
    MEDIA_TYPE_IS_WRONG = "media_type_is_wrong"
    REQUEST_IS_INVALID = "request_is_invalid"
    PAYMENT_IS_INVALID = "payment_is_invalid"
    PAYMENT_FILE_IS_WRONG = "payment_file_is_wrong"
    BACKUP_IS_WRONG = "backup_is_wrong"
    CLOCK_IS_OFF = "clock_is_off"
    CONTENT_DIFFERS = "content_differs"
    KEY_IS_MISSING = "key_is_missing"
    KEY_IS_WRONG = "key_is_wrong"
    SCOPE_IS_MISSING = "scope_is_missing"
    HOST_IS_UNKNOWN = "host_is_unknown"
    REQUEST_IS_FORGED = "request_is_forged"
    NOT_FOUND = "not_found"
    METHOD_IS_WRONG = "method_is_wrong"
    IDEMPOTENCY_KEY_IS_MISSING = "idempotency_key_is_missing"
    IDEMPOTENCY_KEY_IS_BUSY = "idempotency_key_is_busy"
    QUOTE_HAS_EXPIRED = "quote_has_expired"
    QUOTE_IS_RELEASED = "quote_is_released"
    QUOTE_IS_CAPTURED = "quote_is_captured"
    QUOTE_IS_NOT_CAPTURED = "quote_is_not_captured"
    CAPTURE_EXCEEDS_QUOTE = "capture_exceeds_quote"
    REFUND_EXCEEDS_PAYMENT = "refund_exceeds_payment"
    SUPERSEDED_IS_CAPTURED = "superseded_is_captured"
    SUPERSEDED_IS_ANOTHER_PAYERS = "superseded_is_another_payers"
    MONEY_OVERFLOWS = "money_overflows"
    DOCUMENT_IS_INVALID = "document_is_invalid"
    POLICY_IS_MISSING = "policy_is_missing"
    HOUSE_EXISTS = "house_exists"
    STATE_FORBIDS = "state_forbids"
    PRINCIPAL_MAY_NOT = "principal_may_not"
    REVISION_HAS_CHANGED = "revision_has_changed"
    BUDGET_IS_BELOW_USE = "budget_is_below_use"
    WINDOW_IS_PAST = "window_is_past"
    NOT_PROVED = "not_proved"
    RESUME_NEEDS_ANOTHER = "resume_needs_another"
    STORE_IS_UNAVAILABLE = "store_is_unavailable"
    TOO_MANY_REQUESTS = "too_many_requests"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong in an input. `path` is a JSON Pointer (RFC 6901) into it."""

    path: str
    message: str
    hint: str | None = None


class MakegoodError(Exception):
    """Base of everything Makegood raises on purpose."""


class Problem(MakegoodError):  # noqa: N818 - RFC 9457 calls it a problem
    """The caller's mistake. After it is raised nothing has changed."""

    def __init__(
        self, code: ProblemCode, detail: str, *, errors: tuple[FieldError, ...] = (), hint: str | None = None
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.hint = hint


class StoreUnavailable(MakegoodError):  # noqa: N818 - a state of the store, not of the code
    """The store is away, too slow or dying. Nothing is known to have been decided; a retry is safe."""


class LeaseIsOver(StoreUnavailable):
    """This node has not heard from the store for so long that it may not grant; nothing was done."""
