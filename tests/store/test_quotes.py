"""Quotes as services give them: priced by the engine, reserved in the store, within the deadline."""

from typing import Any

import pytest
from tests.shop import Shop, example, open_shop

from makegood.clock import Instant
from makegood.errors import Problem, ProblemCode
from makegood.services import holds, quotes
from makegood.services.keeper import expire_house
from makegood.store.pool import in_house
from makegood.store.verify import verify


async def ask(shop: Shop, **changes: Any) -> dict[str, Any]:
    return await quotes.quote(shop.platform, shop.callers["till"], shop.payment(**changes))


async def assert_balanced(shop: Shop) -> None:
    assert (await verify(shop.platform.store.pool, shop.house.id)).violations == ()


def problem(raised: pytest.ExceptionInfo[Problem]) -> tuple[ProblemCode, list[str]]:
    return raised.value.code, [error.path for error in raised.value.errors]


async def test_a_payment_that_fits_gets_its_discount_reserved(spring: Shop) -> None:
    answer = await ask(spring)
    assert (answer["discount_minor"], answer["to_pay_minor"], answer["state"]) == (4_000, 16_000, "reserved")
    assert answer["benefits"][0]["text"] == {"zh-CN": "商家优惠", "en": "Merchant discount"}
    assert (answer["decided_at"], answer["valid_until"]) == ("2027-02-01T04:00:00Z", "2027-02-01T04:15:00Z")
    assert await quotes.get_quote(spring.platform, spring.callers["till"], answer["quote_id"]) == answer
    await assert_balanced(spring)


@pytest.mark.parametrize("changes", [{"amount": 9_999}, {"city": "Shanghai"}, {"scene": "transfer"}, {"payer_id": ...}])
async def test_a_payment_that_does_not_fit_pays_in_full_and_leaves_no_trace(
    spring: Shop, changes: dict[str, Any]
) -> None:
    answer = await ask(spring, **changes)
    assert (answer["decided"], answer["quote_id"], answer["discount_minor"]) == (True, None, 0)
    async with in_house(spring.platform.store.pool, spring.house.id) as connection:
        assert await connection.fetchval("select count(*) from quotes") == 0


async def test_a_retry_gets_the_first_answer_though_its_clock_moved(spring: Shop) -> None:
    payment = spring.payment()
    till = spring.callers["till"]
    first = await quotes.quote(spring.platform, till, payment)
    again = await quotes.quote(spring.platform, till, payment | {"occurred_at": "2027-02-01T12:00:05+08:00"})
    assert again == first
    # Also once the campaign would grant nothing any more: the first outcome stands.
    past = await quotes.quote(spring.platform, till, payment | {"occurred_at": "2027-03-01T12:00:05+08:00"})
    assert past == first
    with pytest.raises(Problem) as raised:
        await quotes.quote(spring.platform, till, payment | {"amount": 20_001})
    assert raised.value.code is ProblemCode.CONTENT_DIFFERS
    await assert_balanced(spring)


async def test_limits_of_the_day_and_of_ever_hold_through_the_service(spring: Shop) -> None:
    days = [await ask(spring, payer_id="ping", occurred_at=f"2027-02-0{day}T12:00:00+08:00") for day in (1, 1, 2, 3, 4)]
    assert [answer["discount_minor"] for answer in days] == [4_000, 0, 4_000, 0, 0]  # once a day; 100.00 in all
    await assert_balanced(spring)


async def test_what_the_store_refuses_is_told_in_the_explanation(spring: Shop) -> None:
    await ask(spring, payer_id="ping")
    answer = await ask(spring, payer_id="ping", explain=True)
    assert [one["refusal"] for one in answer["explanation"]] == ["payer_limit_is_reached"]


async def test_an_explanation_is_rebuilt_from_the_same_payment_only(spring: Shop) -> None:
    payment, till = spring.payment(), spring.callers["till"]
    answer = await quotes.quote(spring.platform, till, payment | {"explain": True})
    rebuilt = await quotes.explain_quote(spring.platform, till, answer["quote_id"], payment)
    assert rebuilt["explanation"] == answer["explanation"]
    assert rebuilt["explanation"][0]["discount_minor"] == 4_000
    with pytest.raises(Problem) as raised:
        await quotes.explain_quote(spring.platform, till, answer["quote_id"], payment | {"payer_id": "somebody"})
    assert raised.value.code is ProblemCode.CONTENT_DIFFERS


async def test_a_preview_answers_and_reserves_nothing(spring: Shop) -> None:
    till = spring.callers["till"]
    for _ in range(3):
        answer = await quotes.preview(spring.platform, till, spring.payment(payer_id="ping"))
        assert (answer["discount_minor"], answer["quote_id"]) == (4_000, None)
    async with in_house(spring.platform.store.pool, spring.house.id) as connection:
        assert await connection.fetchval("select count(*) from entries where kind = 'reserve'") == 0


async def test_a_batch_answers_each_and_a_wrong_one_spoils_nothing(spring: Shop) -> None:
    good, wrong = spring.payment(), spring.payment(amount=-1)
    answers = await quotes.quote_batch(spring.platform, spring.callers["till"], [good, wrong, good, {"x": 1}, []])
    assert [type(answer) for answer in answers] == [dict, Problem, dict, Problem, Problem]
    assert answers[0] == answers[2]
    await assert_balanced(spring)


@pytest.mark.parametrize("size", [0, 501])
async def test_a_batch_has_its_bounds(spring: Shop, size: int) -> None:
    with pytest.raises(Problem) as raised:
        await quotes.quote_batch(spring.platform, spring.callers["till"], [{}] * size)
    assert problem(raised) == (ProblemCode.REQUEST_IS_INVALID, ["/payments"])


async def test_a_batch_shares_the_last_money_as_single_quotes_would(platform: Any) -> None:
    from tests.shop import open_spring_shop

    shop = await open_spring_shop(platform)
    payments = [shop.payment(amount=20_000) for _ in range(30)]  # 40.00 each; 1,000.00 are open.
    answers = await quotes.quote_batch(platform, shop.callers["till"], payments)
    assert [a["discount_minor"] for a in answers if isinstance(a, dict)] == [4_000] * 25 + [0] * 5
    await assert_balanced(shop)


WRONG = [
    ({"amount": -1}, "/amount"),
    ({"amount": 2**63}, "/amount"),
    ({"amount": 1.5}, "/amount"),
    ({"amount": "1"}, "/amount"),
    ({"amount": True}, "/amount"),
    ({"amount": 0}, "/amount"),
    ({"currency": "USD"}, "/currency"),
    ({"city": ...}, "/city"),
    ({"scene": "gift"}, "/scene"),
    ({"citi": "x"}, "/citi"),
    ({"occurred_at": "yesterday"}, "/occurred_at"),
    ({"payment_id": ""}, "/payment_id"),
    ({"payer_id": "x" * 129}, "/payer_id"),
    ({"payer_segments": ["a"] * 21}, "/payer_segments"),
    ({"items": [{"sku": "a", "amount": 1}]}, "/items"),
    ({"supersedes": ""}, "/supersedes"),
    ({"explain": 1}, "/explain"),
]


@pytest.mark.parametrize(("changes", "path"), WRONG)
async def test_a_wrong_payment_is_refused_with_its_place(spring: Shop, changes: dict[str, Any], path: str) -> None:
    with pytest.raises(Problem) as raised:
        await ask(spring, **changes)
    assert path in problem(raised)[1]


async def test_a_live_house_goes_by_the_stores_clock(platform: Any) -> None:
    shop = await open_shop(platform, live=True)
    with pytest.raises(Problem) as raised:
        await ask(shop)
    assert problem(raised) == (ProblemCode.CLOCK_IS_OFF, ["/occurred_at"])
    async with in_house(platform.store.pool, shop.house.id) as connection:
        now = Instant.of(await connection.fetchval("select clock_timestamp()"))
    answer = await ask(shop, occurred_at=now.plus(-200).text()[:19] + "Z")
    assert abs(Instant.parse(answer["decided_at"]) - now) < 30 * 10**9


async def test_capture_release_and_refund_through_the_service(spring: Shop) -> None:
    till, platform = spring.callers["till"], spring.platform
    first, second = await ask(spring), await ask(spring)
    paid = await holds.capture(platform, till, first["quote_id"], {"paid_at": "2027-02-01T12:10:00+08:00"})
    assert (paid["state"], paid["kept_discount_minor"]) == ("captured", 4_000)
    refund = {"refund_id": "r1", "refund_amount": 5_000}
    answer = await holds.refund(platform, till, first["payment_id"], refund)
    assert answer == await holds.refund(platform, till, first["payment_id"], refund)
    assert (answer["returned_discount_minor"], answer["refunded_amount_minor"]) == (1_000, 5_000)
    assert await holds.get_refund(platform, till, first["payment_id"], "r1") == answer
    assert (await holds.release(platform, till, second["quote_id"]))["state"] == "released"
    payment = await holds.get_payment(platform, till, first["payment_id"])
    assert (payment["kept_discount_minor"], len(payment["refunds"])) == (3_000, 1)
    await assert_balanced(spring)


BAD_ENDS = [
    ({"paid_at": "2027-02-01T12:15:01+08:00"}, ProblemCode.QUOTE_HAS_EXPIRED),
    ({"captured_amount": 20_001}, ProblemCode.CAPTURE_EXCEEDS_QUOTE),
    ({"captured_amount": 0}, ProblemCode.REQUEST_IS_INVALID),
    ({"captured_amount": 2**64}, ProblemCode.REQUEST_IS_INVALID),
    ({"paid": "now"}, ProblemCode.REQUEST_IS_INVALID),
    ([], ProblemCode.REQUEST_IS_INVALID),
]


@pytest.mark.parametrize(("body", "code"), BAD_ENDS)
async def test_a_capture_that_cannot_be_changes_nothing(spring: Shop, body: Any, code: ProblemCode) -> None:
    answer = await ask(spring)
    with pytest.raises(Problem) as raised:
        await holds.capture(spring.platform, spring.callers["till"], answer["quote_id"], body)
    assert raised.value.code is code
    assert await quotes.get_quote(spring.platform, spring.callers["till"], answer["quote_id"]) == answer
    await assert_balanced(spring)


async def test_holds_expire_by_the_houses_clock(spring: Shop) -> None:
    answer = await ask(spring)
    decided = Instant.parse(answer["decided_at"])
    assert await expire_house(spring.platform, spring.house, decided.plus(75 * 60)) == 0
    assert await expire_house(spring.platform, spring.house, decided.plus(75 * 60 + 1)) == 1
    with pytest.raises(Problem) as raised:
        await holds.capture(spring.platform, spring.callers["till"], answer["quote_id"], {})
    assert raised.value.code is ProblemCode.QUOTE_HAS_EXPIRED
    await assert_balanced(spring)


async def test_superseding_frees_the_payers_right_before_pricing(spring: Shop) -> None:
    first = await ask(spring, payer_id="ping")
    second = await ask(spring, payer_id="ping", supersedes=first["payment_id"])
    assert second["discount_minor"] == 4_000
    assert (await quotes.get_quote(spring.platform, spring.callers["till"], first["quote_id"]))["state"] == "released"
    with pytest.raises(Problem) as raised:
        await ask(spring, payer_id="pong", supersedes=second["payment_id"])
    assert raised.value.code is ProblemCode.SUPERSEDED_IS_ANOTHER_PAYERS
    await assert_balanced(spring)


async def test_lines_of_a_basket_share_the_discount_exactly(spring: Shop) -> None:
    items = [{"sku": sku, "amount": amount} for sku, amount in (("a", 10_001), ("b", 3_333), ("c", 6_666))]
    answer = await ask(spring, items=items)
    assert [line["discount_minor"] for line in answer["lines"]] == [2_000, 667, 1_333]


async def test_no_payer_id_reaches_the_store(spring: Shop) -> None:
    await ask(spring, payer_id="ping-the-payer", device_id="device-of-ping")
    async with in_house(spring.platform.store.pool, spring.house.id) as connection:
        for table in ("quotes", "grants", "outbox", "audits", "counters", "snapshots"):
            text = str(await connection.fetch(f"select t::text from {table} t"))
            assert "ping" not in text, table


EXTRA = (
    example("campaign-spring.yaml")
    .replace("spring-qr-2027", "extra")
    .replace("group: instant_discount", "group: extra")
)


async def test_superseding_keeps_the_grant_though_another_campaign_is_refused(spring: Shop) -> None:
    text = EXTRA.replace('per_day: "100000.00 CNY"', 'per_day: "1.00 CNY"')  # It can never grant 40.00.
    await spring.launch(text, example("brief-spring.yaml").replace("spring-qr-2027", "extra"))
    first = await ask(spring, payer_id="ping")
    second = await ask(spring, payer_id="ping", supersedes=first["payment_id"])
    assert [benefit["campaign"] for benefit in second["benefits"]] == ["spring-qr-2027"]
    assert (await quotes.get_quote(spring.platform, spring.callers["till"], first["quote_id"]))["state"] == "released"
    await assert_balanced(spring)


async def test_a_batch_does_not_supersede_its_own_member(spring: Shop) -> None:
    first = spring.payment(payer_id="ping")
    second = spring.payment(payer_id="ping", supersedes=first["payment_id"])
    answers = await quotes.quote_batch(spring.platform, spring.callers["till"], [first, second])
    assert isinstance(answers[0], dict) and answers[0]["state"] == "reserved"
    assert isinstance(answers[1], Problem) and answers[1].errors[0].path == "/supersedes"


async def test_a_released_quote_costs_the_full_price(spring: Shop) -> None:
    payment, till = spring.payment(), spring.callers["till"]
    answer = await quotes.quote(spring.platform, till, payment)
    await holds.release(spring.platform, till, answer["quote_id"])
    again = await quotes.quote(spring.platform, till, payment)
    assert (again["state"], again["to_pay_minor"]) == ("released", 20_000)


async def test_a_retry_after_the_policy_changed_gets_its_first_answer(spring: Shop) -> None:
    payment, till = spring.payment(), spring.callers["till"]
    first = await quotes.quote(spring.platform, till, payment)
    stricter = example("policy.yaml").replace("    city: {", "    weather: {type: string, max_length: 9}\n    city: {")
    published = (await spring.publish("rita", stricter))[0]
    await spring.approve(published.revision, "bob")
    assert await quotes.quote(spring.platform, till, payment) == first
    with pytest.raises(Problem):
        await ask(spring)
    rebuilt = await quotes.explain_quote(spring.platform, till, first["quote_id"], payment)
    assert rebuilt["explanation"][0]["discount_minor"] == 4_000


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"supersedes": "a\0"}, "/supersedes"),
        ({"supersedes": "\ud800"}, "/supersedes"),
        ({"occurred_at": "9999-12-31T23:59:59Z"}, "/occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+08:00"}, "/occurred_at"),
        ({"payment_id": "a\0b"}, "/payment_id"),
    ],
)
async def test_texts_and_times_at_the_edge_are_refused_with_their_place(
    spring: Shop, changes: dict[str, Any], path: str
) -> None:
    with pytest.raises(Problem) as raised:
        await ask(spring, **changes)
    assert path in problem(raised)[1]


@pytest.mark.parametrize("paid_at", ["1970-01-02T00:00:00Z", "0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"])
async def test_nothing_is_paid_before_it_was_quoted(spring: Shop, paid_at: str) -> None:
    answer = await ask(spring)
    with pytest.raises(Problem) as raised:
        await holds.capture(spring.platform, spring.callers["till"], answer["quote_id"], {"paid_at": paid_at})
    assert problem(raised)[1] == ["/paid_at"]
