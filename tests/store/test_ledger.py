"""Reserve, capture, release, refund, expire on a real PostgreSQL; the books are verified after each."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

DECIDED = datetime(2027, 2, 1, 4, tzinfo=UTC)


async def test_a_reservation_moves_money_from_the_open_stage_to_reserved(books: Any) -> None:
    revision = await books.live("spring", 5_000, stage=3_000)
    outcome = (await books.reserve(books.request("p1", {"spring": (revision, 2_000)})))[0]
    assert outcome["outcome"] == "reserved"
    assert await books.money("spring") == (2_000, 1_000, 2_000, 0)
    await books.balanced()


async def test_a_released_reservation_returns_exactly_what_it_took(books: Any) -> None:
    revision = await books.live("spring", 5_000, limits=({"subject": "payer", "period": "ever", "count_max": 1},))
    await books.reserve(books.request("p1", {"spring": (revision, 2_000)}))
    assert (await books.release("qte_p1"))["quote"]["state"] == "released"
    assert await books.money("spring") == (0, 5_000, 0, 0)
    again = (await books.reserve(books.request("p2", {"spring": (revision, 2_000)})))[0]
    assert again["outcome"] == "reserved"  # The payer's right came back, too.
    await books.balanced()


async def test_a_capture_grants_and_a_retry_of_it_answers_the_same(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    await books.reserve(books.request("p1", {"spring": (revision, 2_000)}))
    first = await books.capture("qte_p1")
    assert first["quote"]["state"] == "captured"
    assert await books.capture("qte_p1") == first
    assert await books.money("spring") == (0, 3_000, 0, 2_000)
    assert (await books.release("qte_p1"))["outcome"] == "quote_is_captured"
    await books.balanced()


async def test_a_partial_capture_is_a_capture_and_a_refund_of_the_difference(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    await books.reserve(books.request("p1", {"spring": (revision, 2_000)}))
    quote = (await books.capture("qte_p1", 7_001))["quote"]
    assert (quote["captured"], quote["refunded"], quote["returned"]) == (
        7_001,
        2_999,
        599,
    )  # floor(2000 x 2999 / 10000)
    assert (await books.capture("qte_p1", 7_000))["outcome"] == "content_differs"
    assert (await books.capture("qte_p1", 7_001))["quote"] == quote
    assert await books.money("spring") == (0, 3_599, 0, 1_401)
    await books.balanced()


@pytest.mark.parametrize(("captured", "outcome"), [(10_001, "capture_exceeds_quote"), (10_000, "done")])
async def test_no_more_is_captured_than_was_quoted(books: Any, captured: int, outcome: str) -> None:
    revision = await books.live("spring", 5_000)
    await books.reserve(books.request("p1", {"spring": (revision, 2_000)}))
    assert (await books.capture("qte_p1", captured))["outcome"] == outcome
    await books.balanced()


async def test_a_capture_in_time_is_taken_within_the_grace_and_refused_after_it(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    await books.reserve(*(books.request(p, {"spring": (revision, 500)}) for p in ("p1", "p2", "p3")))
    in_time, late = DECIDED + timedelta(minutes=14), DECIDED + timedelta(minutes=16)
    within, beyond = DECIDED + timedelta(minutes=74), DECIDED + timedelta(minutes=76)
    assert (await books.capture("qte_p1", paid_at=in_time, now=within))["outcome"] == "done"
    assert (await books.capture("qte_p2", paid_at=late, now=within))["outcome"] == "quote_has_expired"
    assert (await books.capture("qte_p3", paid_at=in_time, now=beyond))["outcome"] == "quote_has_expired"
    await books.balanced()


async def test_refunds_return_the_floor_of_the_share_and_the_last_one_the_remainder(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    await books.reserve(books.request("p1", {"spring": (revision, 1_000)}, amount=3_000))
    await books.capture("qte_p1")
    returned = [(await books.refund("p1", f"r{n}", 1_000))["refund"]["returned"] for n in range(3)]
    assert returned == [333, 333, 334]
    assert await books.money("spring") == (0, 5_000, 0, 0)
    await books.balanced()


async def test_a_refund_is_answered_once_and_never_above_the_payment(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    await books.reserve(books.request("p1", {"spring": (revision, 1_000)}, amount=3_000))
    assert (await books.refund("p1", "r1", 1))["outcome"] == "quote_is_not_captured"
    await books.capture("qte_p1")
    first = await books.refund("p1", "r1", 2_999)
    assert (await books.refund("p1", "r1", 2_999))["refund"] == first["refund"]
    assert (await books.refund("p1", "r1", 2_998))["outcome"] == "content_differs"
    assert (await books.refund("p1", "r2", 2))["outcome"] == "refund_exceeds_payment"
    assert (await books.refund("nobody", "r1", 2))["outcome"] == "not_found"
    await books.balanced()


async def test_a_refund_gives_money_back_but_no_right(books: Any) -> None:
    revision = await books.live("spring", 1_000, limits=({"subject": "payer", "period": "ever", "count_max": 1},))
    await books.reserve(books.request("p1", {"spring": (revision, 1_000)}))
    await books.capture("qte_p1")
    await books.refund("p1", "r1", 10_000)
    assert await books.money("spring") == (0, 1_000, 0, 0)
    again = (await books.reserve(books.request("p2", {"spring": (revision, 1_000)})))[0]
    assert (again["outcome"], again["refused"]) == ("refused", {"spring": "payer_limit_is_reached"})
    await books.balanced()


async def test_a_retry_gets_the_first_outcome_and_other_content_is_told(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    request = books.request("p1", {"spring": (revision, 2_000)})
    first = (await books.reserve(request))[0]
    assert (await books.reserve(request | {"quote_id": "qte_other"}))[0] == {**first, "outcome": "replayed"}
    other = (await books.reserve(request | {"content_hash": bytes(32)}))[0]
    assert other == {"outcome": "content_differs"}
    assert await books.money("spring") == (0, 3_000, 2_000, 0)
    await books.balanced()


async def test_a_batch_with_the_same_payment_twice_grants_it_once(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    request = books.request("p1", {"spring": (revision, 2_000)})
    outcomes = await books.reserve(request, request | {"quote_id": "qte_twin"})
    assert [one["outcome"] for one in outcomes] == ["reserved", "replayed"]
    assert outcomes[0]["quote"] == outcomes[1]["quote"]
    await books.balanced()


async def test_two_campaigns_of_one_quote_are_reserved_together_or_not_at_all(books: Any) -> None:
    spring, gift = await books.live("spring", 5_000), await books.live("gift", 100)
    outcome = (await books.reserve(books.request("p1", {"spring": (spring, 2_000), "gift": (gift, 101)})))[0]
    assert (outcome["outcome"], outcome["refused"]) == ("refused", {"gift": "budget_is_exhausted"})
    assert await books.money("spring") == (0, 5_000, 0, 0)
    outcome = (await books.reserve(books.request("p1", {"spring": (spring, 2_000), "gift": (gift, 100)})))[0]
    assert outcome["quote"]["discount"] == 2_100
    await books.balanced()


async def test_superseding_releases_the_abandoned_checkout_in_the_same_step(books: Any) -> None:
    revision = await books.live("spring", 2_000)
    await books.reserve(books.request("p1", {"spring": (revision, 2_000)}))
    second = (await books.reserve(books.request("p2", {"spring": (revision, 1_500)}, supersedes="p1")))[0]
    assert second["outcome"] == "reserved"
    assert await books.money("spring") == (0, 500, 1_500, 0)
    await books.capture("qte_p2")
    third = (await books.reserve(books.request("p3", {"spring": (revision, 100)}, supersedes="p2")))[0]
    assert third == {"outcome": "superseded_is_captured"}
    await books.balanced()


async def test_a_refused_reservation_does_not_release_what_it_would_supersede(books: Any) -> None:
    revision = await books.live("spring", 2_000)
    await books.reserve(books.request("p1", {"spring": (revision, 1_000)}))
    outcome = (await books.reserve(books.request("p2", {"spring": (revision, 2_001)}, supersedes="p1")))[0]
    assert outcome["outcome"] == "refused"
    assert await books.money("spring") == (0, 1_000, 1_000, 0)
    stranger = books.request("p3", {"spring": (revision, 1)}, supersedes="p1", payer_ref=b"\xff" * 32)
    assert (await books.reserve(stranger))[0] == {"outcome": "superseded_is_another_payers"}
    await books.balanced()


async def test_expiry_gives_back_what_is_due_and_nothing_else(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    await books.reserve(*(books.request(p, {"spring": (revision, 500)}) for p in ("p1", "p2")))
    await books.reserve(
        books.request(
            "p3",
            {"spring": (revision, 500)},
            valid_until=DECIDED + timedelta(hours=20),
            hold_until=DECIDED + timedelta(hours=21),
        )
    )
    await books.capture("qte_p2")
    expired = await books.ledger.expire(books.house.id, DECIDED + timedelta(hours=2))
    assert expired == 1
    assert await books.money("spring") == (0, 4_000, 500, 500)
    assert (await books.capture("qte_p1"))["outcome"] == "quote_has_expired"
    await books.balanced()


async def _disown(books: Any, payment: str, *, touched: bool, attempt: str = "") -> bool:
    quote = f"qte_{payment}"
    name = attempt or secrets.token_hex(8)
    closed: bool = await books.ledger.disown(books.house.id, "till", payment, quote, touched, name)
    return closed


async def test_a_late_hold_is_void_for_ever(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    request = books.request("p1", {"spring": (revision, 2_000)})
    await books.reserve(request)
    assert await _disown(books, "p1", touched=True)
    assert (await books.reserve(request))[0] == {"outcome": "void"}
    assert await books.money("spring") == (0, 5_000, 0, 0)
    await books.balanced()


async def test_a_late_hold_stays_while_a_retry_was_answered_with_it(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    request = books.request("p1", {"spring": (revision, 2_000)})
    await books.reserve(request)
    assert (await books.reserve(request))[0]["outcome"] == "replayed"
    assert not await _disown(books, "p1", touched=True)
    assert await books.money("spring") == (0, 3_000, 2_000, 0)
    assert await _disown(books, "p1", touched=True)  # The retry was too late as well.
    assert await books.money("spring") == (0, 5_000, 0, 0)
    await books.balanced()


async def test_a_hold_that_comes_after_its_caller_gave_up_is_not_made(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    assert await _disown(books, "p1", touched=False)
    assert (await books.reserve(books.request("p1", {"spring": (revision, 2_000)})))[0] == {"outcome": "void"}
    assert await books.money("spring") == (0, 5_000, 0, 0)


async def test_somebody_elses_hold_is_not_ended_by_a_try_that_never_got_it(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    await books.reserve(books.request("p1", {"spring": (revision, 2_000)}, quote_id="qte_first"))
    assert not await _disown(books, "p1", touched=False)
    assert await books.money("spring") == (0, 3_000, 2_000, 0)


async def test_a_try_gives_up_its_claim_once_however_often_it_is_said(books: Any) -> None:
    revision = await books.live("spring", 5_000)
    request = books.request("p1", {"spring": (revision, 2_000)})
    await books.reserve(request)
    await books.reserve(request)  # Two callers wait for it; one of them was answered full price.
    for _ in range(2):  # The answer to the first was lost.
        assert not await _disown(books, "p1", touched=True, attempt="one")
    assert (await books.capture("qte_p1"))["outcome"] == "done"
    await books.balanced()
