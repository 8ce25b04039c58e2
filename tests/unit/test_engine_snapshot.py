"""Snapshots: what the hash says, and which campaigns are asked at all."""

from dataclasses import replace

import pytest
from tests.unit.pricing_world import CLOSES, NOON, OPENS, POLICY, REVISION, campaign, payment, snapshot

from makegood.domain.brief import Share
from makegood.domain.campaign import Campaign
from makegood.engine.compile import narrowed
from makegood.engine.snapshot import Live, Snapshot, build_snapshot
from makegood.limits import INDEX_KEYS_MAX


def build(*live: Live, policy_revision: str = REVISION, secret: bytes = b"s") -> Snapshot:
    return build_snapshot(POLICY, live, policy_revision=policy_revision, secret=secret)


def asked(one: Snapshot, **changes: object) -> set[str]:
    """Campaigns that pricing looks at for such a payment."""
    return {entry.id for entry in one.candidates(payment(**changes), NOON)}


def test_the_hash_names_policy_revisions_and_stops_and_nothing_else() -> None:
    a, b = Live(campaign("a"), "rev_1"), Live(campaign("b"), "rev_2")
    one = build(a, b)
    assert one.hash.startswith("snp_")
    assert len(one.hash) == 68
    assert build(b, a).hash == one.hash
    assert build(a, b, secret=b"other").hash == one.hash
    others = [
        build(a),
        build(a, b, policy_revision="rev_other"),
        build(a, replace(b, revision="rev_3")),
        build(a, replace(b, stopped=True)),
    ]
    assert len({one.hash, *(other.hash for other in others)}) == 5


def test_a_snapshot_knows_its_campaigns_by_id() -> None:
    one = snapshot(campaign("b"), campaign("a"))
    assert [entry.id for entry in one.entries] == ["a", "b"]
    assert one.campaigns["b"] == campaign("b")
    with pytest.raises(TypeError):
        one.campaigns["c"] = campaign("c")  # type: ignore[index]


def test_only_campaigns_whose_values_the_payment_has_are_asked() -> None:
    one = snapshot(
        campaign("here", when='payment.city == "Hangzhou"'),
        campaign("there", when='payment.city == "Shanghai"'),
        campaign("both", when='payment.city in ["Shanghai", "Hangzhou"] && payment.channel == "app"'),
        campaign("web", when='payment.channel == "web" && payment.city == "Hangzhou"'),
        campaign("new", when="payment.payer_is_new"),
        campaign("old", when="!payment.payer_is_new"),
        campaign("two", when="payment.items_count == 2"),
        campaign("all", when="true"),
        campaign("either", when='payment.city == "Shanghai" || payment.amount > 1'),
    )
    assert asked(one) == {"here", "both", "old", "two", "all", "either"}
    assert asked(one, city="Shanghai", payer_is_new=True) == {"there", "both", "new", "two", "all", "either"}


def test_campaigns_that_ask_for_more_than_the_amount_are_not_asked() -> None:
    one = snapshot(
        campaign("from-12000", when="payment.amount >= 12000"),
        campaign("from-12001", when="payment.amount > 12000"),
        campaign("small", when='payment.city == "Hangzhou" && payment.amount >= 100'),
        campaign("large", when='payment.city == "Hangzhou" && 50000 <= payment.amount'),
    )
    assert asked(one) == {"from-12000", "small"}


def test_campaigns_outside_their_window_stopped_or_with_a_code_are_not_asked() -> None:
    one = snapshot(
        campaign("open"),
        campaign("over", window=(OPENS, NOON)),
        campaign("to-come", window=(NOON.plus(1), CLOSES)),
        campaign("stopped"),
        campaign("coded", code="X"),
        stopped=["stopped"],
    )
    assert asked(one) == {"open"}
    assert asked(one, codes=["X", "Y"]) == {"open", "coded"}


def test_an_optional_field_that_is_absent_asks_no_campaign_that_needs_it() -> None:
    when = 'has(payment.store_type) && payment.store_type == "chain"'
    one = snapshot(campaign("chain", when=when), campaign("chain-here", when=f'{when} && payment.city == "Hangzhou"'))
    assert asked(one) == set()
    assert asked(one, store_type="chain") == {"chain", "chain-here"}
    assert asked(one, store_type="independent") == set()


@pytest.mark.parametrize(
    ("when", "proven"),
    [
        ('payment.city == "Hangzhou" && payment.amount >= 100', True),
        ('payment.city in ["Hangzhou"] && !payment.payer_is_new', True),
        ('has(payment.store_type) && payment.store_type == "chain"', True),
        ('payment.city == "Hangzhou" || payment.city in ["Shanghai", "Beijing"]', True),
        ('payment.city == "Hangzhou" || (payment.city == "Shanghai" && payment.amount > 5)', False),
        ("has(payment.store_type)", False),
        ('payment.city == "Hangzhou" && payment.amount <= 100', False),
        ('payment.city != "Hangzhou"', False),
        ('payment.city.startsWith("Hang")', False),
        ('payment.city == "Hangzhou" || payment.payer_is_new', False),
        ("payment.items_count >= 2", False),
    ],
)
def test_a_condition_that_the_index_answers_in_full_is_not_asked_again(when: str, proven: bool) -> None:
    assert snapshot(campaign(when=when)).entries[0].proven is proven


def test_a_condition_that_contradicts_itself_is_never_asked() -> None:
    one = snapshot(campaign(when='payment.city == "Hangzhou" && payment.city == "Shanghai"'))
    assert asked(one) == asked(one, city="Shanghai") == set()


def test_the_widest_fields_are_left_out_while_the_combinations_are_too_many() -> None:
    wide = frozenset(str(n) for n in range(INDEX_KEYS_MAX))
    assert set(narrowed({"city": wide, "scene": frozenset({"a"})})) == {"city", "scene"}
    assert set(narrowed({"city": wide, "scene": frozenset({"a", "b"})})) == {"scene"}
    assert set(narrowed({"city": wide | {"one more"}})) == set()


def test_a_long_list_of_values_is_still_answered() -> None:
    cities = ", ".join(f'"c{n}"' for n in range(INDEX_KEYS_MAX + 10))
    one = snapshot(campaign(when=f"payment.city in [{cities}]"))
    assert not one.entries[0].proven
    assert asked(one) == {"spring"}


@pytest.mark.parametrize(
    "wrong",
    [
        replace(campaign(), label="another"),
        replace(campaign(), funding=(Share("nobody", 10_000),)),
        replace(campaign(), when="payment.colour == 1"),
        replace(campaign(), window=replace(campaign().window, closes=OPENS)),
        replace(campaign(), stages=(1,)),
    ],
)
def test_a_campaign_that_does_not_fit_the_policy_is_a_bug(wrong: Campaign) -> None:
    with pytest.raises(AssertionError, match="spring"):
        snapshot(wrong)


def test_a_campaign_is_live_once() -> None:
    with pytest.raises(AssertionError, match="live once"):
        snapshot(campaign(), campaign())
