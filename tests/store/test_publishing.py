"""Three documents, three hands: what it takes to run, to stop and to resume."""

from typing import Any

import pytest
from tests.shop import Shop, example

from makegood.domain.review import State
from makegood.errors import Problem, ProblemCode
from makegood.services import campaigns, control, quotes
from makegood.store.verify import verify

SPRING, BRIEF = example("campaign-spring.yaml"), example("brief-spring.yaml")


async def _refused(call: Any) -> ProblemCode:
    with pytest.raises(Problem) as raised:
        await call
    return raised.value.code


async def test_a_campaign_runs_when_brief_and_approvals_are_there_and_not_before(shop: Shop) -> None:
    published = (await shop.publish("mara", SPRING))[0]
    assert (published.state, published.missing) == (State.DRAFT, ("brief", "approval:2"))
    published = (await shop.publish("otto", BRIEF))[-1]
    assert (published.state, published.missing) == (State.IN_REVIEW, ("approval:2",))
    assert (await shop.approve(published.revision, "bob")).missing == ("approval:1",)
    assert (await shop.approve(published.revision, "bob")).missing == ("approval:1",)  # Twice is once.
    assert (await shop.approve(published.revision, "carl")).state is State.SCHEDULED
    view = await campaigns.get_campaign(shop.platform, shop.callers["olga"], "spring-qr-2027")
    assert (view.stage_left_minor, view.left_minor, view.proved) == (100_000, 100_000_000, True)
    assert (await verify(shop.platform.store.pool, shop.house.id)).violations == ()


async def test_three_principals_are_three(shop: Shop) -> None:
    both = shop.callers["otto"]
    shop.callers["otto"] = type(both)(both.house, "mara", both.scopes, both.key_id)  # Mara holds a brief key, too.
    await shop.publish("otto", BRIEF)
    published = (await shop.publish("mara", SPRING))[0]
    assert "brief_by_another_principal" in published.missing
    approver = shop.callers["bob"]
    shop.callers["bob"] = type(approver)(approver.house, "mara", approver.scopes, approver.key_id)
    assert await _refused(shop.approve(published.revision, "bob")) is ProblemCode.PRINCIPAL_MAY_NOT


async def test_an_approval_dies_when_the_bytes_change(shop: Shop) -> None:
    await shop.publish("otto", BRIEF)
    first = (await shop.publish("mara", SPRING))[0]
    await shop.approve(first.revision, "bob")
    second = (await shop.publish("mara", SPRING.replace('"50.00 CNY"', '"49.00 CNY"')))[0]
    assert second.revision != first.revision and second.missing == ("approval:2",)
    third = (await shop.publish("mara", "# a comment only\n" + SPRING))[0]
    assert third.revision == first.revision and third.missing == ("approval:1",)


async def test_a_yes_to_another_brief_does_not_count(shop: Shop) -> None:
    await shop.publish("otto", BRIEF)
    published = (await shop.publish("mara", SPRING))[0]
    await shop.approve(published.revision, "bob")
    changed = (await shop.publish("otto", BRIEF.replace('"50.00 CNY"', '"60.00 CNY"')))[-1]
    assert changed.missing == ("approval:2",)


async def test_the_wrong_template_does_not_run_without_its_labels_owner(shop: Shop) -> None:
    await shop.publish("otto", BRIEF)
    with pytest.raises(Problem) as raised:
        await shop.publish("mara", example("campaign-16-january.yaml"))
    assert raised.value.code is ProblemCode.DOCUMENT_IS_INVALID  # Its stages break the policy's bounds.
    published = (await shop.publish("mara", _owned(SPRING)))[0]
    assert {"proof:inside_brief.label", "signature:gov-hangzhou", "approval:2"} <= set(published.missing)
    published = (await shop.publish("otto", _owned(BRIEF)))[-1]
    assert published.missing == ("signature:gov-hangzhou", "approval:2")
    assert (await shop.approve(published.revision, "bob", "carl", "rita")).state is State.APPROVED
    assert (await quotes.quote(shop.platform, shop.callers["till"], shop.payment()))["discount_minor"] == 0


def _owned(text: str) -> str:
    """The document with a label that a funder owns, who pays a share."""
    return text.replace("label: merchant_coupon", "label: government_subsidy").replace("merchant-lin", "gov-hangzhou")


async def test_a_document_with_an_error_publishes_nothing_at_all(shop: Shop) -> None:
    with pytest.raises(Problem) as raised:
        await shop.publish("mara", SPRING, SPRING.replace("spring-qr-2027", "other").replace('"20%"', "20"))
    assert raised.value.code is ProblemCode.DOCUMENT_IS_INVALID
    assert raised.value.errors[0].path == "/benefit/percent_off/rate"
    assert await campaigns.list_campaigns(shop.platform, shop.callers["mara"]) == []


@pytest.mark.parametrize(
    ("who", "text"), [("otto", SPRING), ("mara", BRIEF), ("mara", example("policy.yaml")), ("till", SPRING)]
)
async def test_each_document_takes_its_own_scope(shop: Shop, who: str, text: str) -> None:
    assert await _refused(shop.publish(who, text)) is ProblemCode.SCOPE_IS_MISSING


async def test_a_policy_takes_two_and_does_not_break_what_is_live(spring: Shop) -> None:
    policy = example("policy.yaml").replace("half-at-most", "at-most-half")
    published = (await spring.publish("rita", policy))[0]
    assert published.missing == ("approval:1",)
    assert await _refused(spring.approve(published.revision, "rita")) is ProblemCode.PRINCIPAL_MAY_NOT
    assert (await spring.approve(published.revision, "bob")).state is State.RUNNING
    narrow = (await spring.publish("rita", policy.replace("  merchant_coupon:", "  other_coupon:")))[0]
    assert await _refused(spring.approve(narrow.revision, "bob")) is ProblemCode.DOCUMENT_IS_INVALID
    assert (await quotes.quote(spring.platform, spring.callers["till"], spring.payment()))["discount_minor"] == 4_000


async def test_a_stop_is_one_step_and_a_resume_takes_two(spring: Shop) -> None:
    platform, till, olga = spring.platform, spring.callers["till"], spring.callers["olga"]
    shown = await quotes.quote(platform, till, spring.payment())
    assert (
        await _refused(control.stop_campaign(platform, olga, "spring-qr-2027", "  ")) is ProblemCode.REQUEST_IS_INVALID
    )
    stopped = await control.stop_campaign(platform, olga, "spring-qr-2027", "too generous")
    assert (stopped.stopped, stopped.honoured_quotes) == (("campaign:spring-qr-2027",), 1)
    assert (await quotes.quote(platform, till, spring.payment()))["discount_minor"] == 0
    from makegood.services import holds

    assert (await holds.capture(platform, till, shown["quote_id"], {}))["state"] == "captured"
    first = await control.resume_campaign(platform, olga, "spring-qr-2027", "mended")
    assert first.state == "requested"
    again = control.resume_campaign(platform, olga, "spring-qr-2027", "mended")
    assert await _refused(again) is ProblemCode.RESUME_NEEDS_ANOTHER
    confirmed = await control.resume_campaign(platform, spring.callers["omar"], "spring-qr-2027", "checked")
    assert confirmed.state == State.RUNNING
    assert (await quotes.quote(platform, till, spring.payment()))["discount_minor"] == 4_000
    assert (await verify(platform.store.pool, spring.house.id)).violations == ()


async def test_the_author_does_not_resume(spring: Shop) -> None:
    await control.stop_campaign(spring.platform, spring.callers["olga"], "spring-qr-2027", "a look")
    mara = spring.callers["mara"]
    able = type(mara)(mara.house, "mara", spring.callers["omar"].scopes, mara.key_id)
    call = control.resume_campaign(spring.platform, able, "spring-qr-2027", "it was fine")
    assert await _refused(call) is ProblemCode.PRINCIPAL_MAY_NOT


async def test_stages_open_one_after_the_other_by_hand(spring: Shop) -> None:
    olga = spring.callers["olga"]
    opened = [(await control.open_stage(spring.platform, olga, "spring-qr-2027")).stage_minor for _ in range(3)]
    assert opened == [1_000_000, 10_000_000, 100_000_000]
    assert await _refused(control.open_stage(spring.platform, olga, "spring-qr-2027")) is ProblemCode.STATE_FORBIDS
    assert (await verify(spring.platform.store.pool, spring.house.id)).violations == ()


async def test_a_new_revision_takes_over_with_its_budget_and_keeps_the_counts(spring: Shop) -> None:
    platform, till = spring.platform, spring.callers["till"]
    await quotes.quote(platform, till, spring.payment(payer_id="ping"))
    smaller = SPRING.replace('"1000000.00 CNY"', '"500000.00 CNY"').replace('"20%"', '"10%"')
    published = (await spring.publish("mara", smaller))[0]
    assert (await quotes.quote(platform, till, spring.payment()))["discount_minor"] == 4_000  # The old one runs on.
    await spring.approve(published.revision, "bob", "carl")
    assert (await quotes.quote(platform, till, spring.payment()))["discount_minor"] == 2_000
    assert (await quotes.quote(platform, till, spring.payment(payer_id="ping")))["discount_minor"] == 0
    view = await campaigns.get_campaign(platform, till, "spring-qr-2027")
    assert (view.revision, view.budget_minor, view.left_minor) == (published.revision, 50_000_000, 50_000_000 - 10_000)
    other, agreed = (text.replace('"70%"', '"60%"').replace('"30%"', '"40%"') for text in (SPRING, BRIEF))
    await spring.publish("otto", agreed)
    published = (await spring.publish("mara", other))[0]
    await spring.approve(published.revision, "bob")
    assert await _refused(spring.approve(published.revision, "carl")) is ProblemCode.STATE_FORBIDS
    assert (await verify(platform.store.pool, spring.house.id)).violations == ()
