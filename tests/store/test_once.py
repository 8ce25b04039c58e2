"""A call with an idempotency key is done once and answered the same."""

import asyncio

import pytest
from tests.shop import Shop

from makegood.errors import Problem, ProblemCode
from makegood.services.once import Kept, once


async def _code(call: object) -> ProblemCode:
    with pytest.raises(Problem) as raised:
        await call  # type: ignore[misc]
    return raised.value.code


async def test_it_is_done_once_and_answered_twice(shop: Shop) -> None:
    done: list[int] = []

    async def work() -> Kept:
        done.append(1)
        return Kept(201, f"answer {len(done)}")

    mara = shop.callers["mara"]
    answers = [await once(shop.platform, mara, "k1", b"content", work) for _ in range(3)]
    assert answers == [Kept(201, "answer 1")] * 3
    assert await _code(once(shop.platform, mara, "k1", b"other", work)) is ProblemCode.CONTENT_DIFFERS
    assert (await once(shop.platform, shop.callers["bob"], "k1", b"other", work)).body == "answer 2"  # Another's key.


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, ProblemCode.IDEMPOTENCY_KEY_IS_MISSING),
        ("", ProblemCode.REQUEST_IS_INVALID),
        ("ü", ProblemCode.REQUEST_IS_INVALID),
        ("x" * 129, ProblemCode.REQUEST_IS_INVALID),
    ],
)
async def test_a_key_is_needed_and_bounded(shop: Shop, key: str | None, code: ProblemCode) -> None:
    async def work() -> Kept:
        raise AssertionError("not reached")

    assert await _code(once(shop.platform, shop.callers["mara"], key, b"", work)) is code


async def test_while_the_first_runs_the_second_is_told(shop: Shop) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def work() -> Kept:
        begun.set()
        await go.wait()
        return Kept(200, "done")

    mara = shop.callers["mara"]
    first = asyncio.create_task(once(shop.platform, mara, "k1", b"", work))
    await begun.wait()
    assert await _code(once(shop.platform, mara, "k1", b"", work)) is ProblemCode.IDEMPOTENCY_KEY_IS_BUSY
    go.set()
    assert (await first).body == "done"


async def test_a_problem_leaves_the_key_free(shop: Shop) -> None:
    async def wrong() -> Kept:
        raise Problem(ProblemCode.NOT_FOUND, "no")

    async def right() -> Kept:
        return Kept(200, "yes")

    mara = shop.callers["mara"]
    assert await _code(once(shop.platform, mara, "k1", b"", wrong)) is ProblemCode.NOT_FOUND
    assert (await once(shop.platform, mara, "k1", b"", right)).body == "yes"
