"""`Idempotency-Key`: a call that is sent twice is done once, and answered the same."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from makegood.errors import FieldError, Problem, ProblemCode
from makegood.limits import ID_CHARS_MAX
from makegood.services.access import Caller
from makegood.services.platform import Platform
from makegood.store import idempotency as rows


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was sent: HTTP status and body."""

    status: int
    body: str


async def once(
    platform: Platform, caller: Caller, key: str | None, content: bytes, work: Callable[[], Awaitable[Kept]]
) -> Kept:
    """The answer of `work`, done at most once for a principal's key. A Problem leaves the key free for another try.

    Raises Problem for a missing key, for one whose first call still runs, and for one used with other content.
    """
    if key is None:
        raise Problem(
            ProblemCode.IDEMPOTENCY_KEY_IS_MISSING,
            "this call needs an `Idempotency-Key` header",
            hint="send a new random text with each new call, and the same with each retry of it",
        )
    if not 0 < len(key) <= ID_CHARS_MAX or not key.isascii() or not key.isprintable():
        where = FieldError("", f"`Idempotency-Key` must be 1 to {ID_CHARS_MAX} printable ASCII characters")
        raise Problem(ProblemCode.REQUEST_IS_INVALID, "the idempotency key is not well formed", errors=(where,))
    pool, house = platform.store.pool, caller.house.id
    digest = hashlib.sha256(content).digest()
    known = await rows.claim(pool, house, caller.principal, key, digest)
    if isinstance(known, rows.Claim):
        return await _do(platform, caller, known, work)
    if known["content_hash"] != digest:
        raise Problem(ProblemCode.CONTENT_DIFFERS, "this idempotency key was used with other content")
    if known["status"] is None:
        raise Problem(ProblemCode.IDEMPOTENCY_KEY_IS_BUSY, "the first call with this idempotency key still runs")
    return Kept(known["status"], known["body"])


async def _do(platform: Platform, caller: Caller, claim: rows.Claim, work: Callable[[], Awaitable[Kept]]) -> Kept:
    # 1. The key is claimed. If we die here, it is free again after a minute.
    # 2. The work is done. If we die here, a retry does it again: it finds its own traces and changes nothing.
    # 3. The answer is kept.
    pool, house = platform.store.pool, caller.house.id
    try:
        answer = await work()
    except BaseException:
        await rows.forget(pool, house, claim)
        raise
    await rows.keep(pool, house, claim, answer.status, answer.body)
    return answer
