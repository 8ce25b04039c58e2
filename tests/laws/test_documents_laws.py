"""Laws of documents: one canonical spelling, one revision, and nothing that a file says can break the reader."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from makegood.clock import Instant
from makegood.documents.canonical import (
    canonical_brief,
    canonical_campaign,
    canonical_policy,
    revision_of,
)
from makegood.documents.document import PolicyDocument
from makegood.documents.read import read_documents
from makegood.documents.source import Source
from makegood.documents.summary import summarise
from makegood.documents.worst import worst_loss
from makegood.domain.benefit import (
    AmountOff,
    Benefit,
    BuyXGetY,
    Draw,
    FreeItem,
    ItemsOff,
    PercentOff,
    RandomOff,
    Tier,
    Tiers,
    Units,
    gross_discount,
    item_bound,
)
from makegood.domain.brief import Brief, Expectation, PerPayer, Share, Window
from makegood.domain.campaign import Campaign, Stacking
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.policy import Policy, SharedLimit
from makegood.findings import Severity

EXAMPLES = Path(__file__).parents[2] / "examples"
NOW = Instant.parse("2027-01-15T00:00:00Z")
NAMES = ("policy.yaml", "brief-spring.yaml", "campaign-spring.yaml")
FILES = {name: (EXAMPLES / name).read_bytes() for name in NAMES}
HOUSE = read_documents([Source("policy.yaml", FILES["policy.yaml"])], now=NOW).policies[0]
assert HOUSE.policy is not None
POLICY: Policy = HOUSE.policy

minor = st.integers(0, 10**12)
positive = st.integers(1, 10**9)
counts = st.integers(0, 10**9)
points = st.integers(0, 10_000)
ids = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,20}", fullmatch=True)
words = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="\u200b"), min_size=1, max_size=12)
texts = st.fixed_dictionaries({"zh-CN": words, "en": words})
conditions = st.sampled_from(
    [
        'payment.scene == "in_store_qr" && payment.amount >= 10000',
        'payment.scene in ["online", "bill"] && !payment.payer_is_new',
        'payment.city == "Hangzhou"',
        "payment.amount % 2 == 0",
    ]
)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    opens = draw(st.integers(10**9, 4 * 10**9))
    micros = draw(st.integers(0, 999_999))
    length = draw(st.integers(1, 10**8))
    return Window(Instant(opens * 10**9 + micros * 1_000), Instant((opens + length) * 10**9))


@st.composite
def fundings(draw: st.DrawFn) -> tuple[Share, ...]:
    cut = draw(points)
    first, second = draw(st.permutations(list(POLICY.funders)))[:2]
    return draw(st.sampled_from([(Share(first, 10_000),), (Share(first, cut), Share(second, 10_000 - cut))]))


@st.composite
def tiers(draw: st.DrawFn) -> Tiers:
    count = draw(st.integers(1, 5))
    spends = sorted(draw(st.sets(st.integers(0, 10**7), min_size=count, max_size=count)))
    offs = sorted(draw(st.sets(st.integers(1, 10**6), min_size=count, max_size=count)))
    return Tiers(tuple(Tier(spend, off) for spend, off in zip(spends, offs, strict=True)))


lines = st.sampled_from(["true", 'item.sku == "latte"', 'has(item.category) && item.category in ["a", "b"]'])
units = st.builds(Units, lines, st.integers(1, 1_000))
shares = st.builds(PercentOff, points, st.integers(0, 10**7))
amounts = st.builds(AmountOff, st.integers(0, 10**7))
benefits: st.SearchStrategy[Benefit] = st.one_of(
    shares,
    amounts,
    st.builds(ItemsOff, lines, shares | amounts),
    st.builds(BuyXGetY, units, units, points, st.integers(0, 10**7)),
    st.builds(FreeItem, lines, st.integers(0, 10**7)),
    tiers(),
    st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(lambda pair: RandomOff(min(pair), max(pair))),
)


@st.composite
def limits(draw: st.DrawFn) -> tuple[Limit, ...]:
    found = []
    for subject in Subject:
        for period in Period:
            total = (subject, period) == (Subject.ALL, Period.EVER)
            needed = (subject, period) == (Subject.PAYER, Period.EVER)
            if needed or draw(st.booleans()):
                count = draw(counts if total else st.none() | counts)
                amount = None if total else draw(minor if count is None else st.none() | minor)
                found.append(Limit(subject, period, count, amount))
    return tuple(found)


@st.composite
def stages(draw: st.DrawFn) -> tuple[int, ...]:
    return tuple(sorted(draw(st.sets(positive, min_size=1, max_size=6))))


@st.composite
def campaigns(draw: st.DrawFn) -> Campaign:
    opened = draw(stages())
    groups = st.none() | st.lists(ids, max_size=3).map(tuple)
    return Campaign(
        id=draw(ids),
        title=draw(texts),
        label=draw(st.sampled_from(list(POLICY.labels))),
        funding=draw(fundings()),
        window=draw(windows()),
        when=draw(conditions),
        benefit=draw(benefits),
        budget=opened[-1],
        limits=draw(limits()),
        stages=opened,
        stacking=Stacking(draw(ids), draw(st.integers(0, 10**6)), draw(groups)),
        code=draw(st.none() | st.from_regex(r"[!-~]{1,20}", fullmatch=True)),
    )


@st.composite
def briefs(draw: st.DrawFn) -> Brief:
    scenes = POLICY.schema.fields["scene"].values
    assert scenes is not None
    per_payer = draw(st.one_of(st.builds(PerPayer, counts, st.none() | minor), st.builds(PerPayer, st.none(), minor)))
    return Brief(
        draw(ids), draw(texts), draw(st.sampled_from(list(POLICY.labels))), draw(fundings()), draw(windows()),
        draw(st.lists(st.sampled_from(scenes), min_size=1, unique=True).map(tuple)), draw(minor), draw(minor),
        draw(points), draw(minor), per_payer, draw(minor), Expectation(draw(points), draw(minor), draw(minor)),
    )  # fmt: skip


def read_campaign(data: bytes, policy: PolicyDocument = HOUSE) -> tuple[Campaign | None, str]:
    document = read_documents([Source("c.yaml", data)], now=NOW, policy=policy).campaigns[0]
    return document.campaign, document.revision


@given(campaigns())
def test_a_campaign_is_read_back_from_its_canonical_bytes(campaign: Campaign) -> None:
    canonical = canonical_campaign(campaign, "CNY")
    again, revision = read_campaign(canonical)
    assert again == campaign
    assert revision == revision_of(canonical)


@given(briefs())
def test_a_brief_is_read_back_from_its_canonical_bytes(brief: Brief) -> None:
    canonical = canonical_brief(brief, "CNY")
    document = read_documents([Source("b.yaml", canonical)], now=NOW, policy=HOUSE).briefs[0]
    assert document.brief == brief
    assert (document.canonical, document.revision) == (canonical, revision_of(canonical))


def _json(said: Any) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode()


@given(st.data())
def test_a_policy_is_read_back_from_its_canonical_bytes(data: st.DataObject) -> None:
    said = json.loads(canonical_policy(POLICY))
    said["peak"]["payments_per_second"] = data.draw(st.integers(1, 10**7))
    said["labels"][data.draw(ids)] = {
        "text": data.draw(texts),
        "owner": data.draw(st.sampled_from(list(POLICY.funders))),
    }
    said["stages"] = {"first_max": f"{data.draw(st.integers(0, 10**9))}.00 CNY", "growth_max": 2}
    said["payment"]["instrument"] = data.draw(st.lists(words, min_size=1, max_size=4, unique=True))
    said["payment"]["attributes"][data.draw(st.from_regex(r"x_[a-z]{1,9}", fullmatch=True))] = data.draw(attributes)
    first = read_documents([Source("p.yaml", _json(said))], now=NOW).policies[0]
    assert first.policy is not None, first.findings
    again = read_documents([Source("p.yaml", first.canonical)], now=NOW).policies[0]
    assert again.policy == first.policy
    assert (again.canonical, again.revision) == (first.canonical, first.revision)


caps = st.tuples(st.none() | counts, st.none() | minor).filter(lambda pair: pair != (None, None))
shared_limits = st.lists(
    st.builds(
        lambda name, subject, period, pair, labels: SharedLimit(name, Limit(subject, period, *pair), labels),
        ids,
        st.sampled_from(Subject),
        st.sampled_from(Period),
        caps,
        st.none() | st.lists(st.sampled_from(list(POLICY.labels)), min_size=1, unique=True).map(tuple),
    ),
    max_size=4,
    unique_by=lambda shared: shared.id,
).map(tuple)


@given(shared_limits, shared_limits)
def test_limits_across_campaigns_are_read_back_and_are_a_part_of_the_revision(
    one: tuple[SharedLimit, ...], other: tuple[SharedLimit, ...]
) -> None:
    policy = replace(POLICY, limits=one)
    canonical = canonical_policy(policy)
    again = read_documents([Source("p.yaml", canonical)], now=NOW).policies[0]
    assert (again.policy, again.findings) == (policy, ())
    assert (again.canonical, again.revision) == (canonical, revision_of(canonical))
    assert (canonical_policy(replace(POLICY, limits=other)) == canonical) == (other == one)


attributes = st.one_of(
    st.fixed_dictionaries({"type": st.just("int")}, optional={"min": st.integers(-9, 0), "max": st.integers(0, 9)}),
    st.fixed_dictionaries({"type": st.sampled_from(["bool", "timestamp"])}, optional={"optional": st.booleans()}),
    st.fixed_dictionaries({"type": st.just("string")}, optional={"max_length": st.integers(1, 500)}),
    st.fixed_dictionaries({"type": st.just("string"), "values": st.lists(words, min_size=1, max_size=3, unique=True)}),
    st.fixed_dictionaries({"type": st.just("list(string)")}, optional={"max_items": st.integers(0, 9)}),
)


def _shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: _shuffled(value[key], chance) for key in keys}
    return [_shuffled(one, chance) for one in value] if isinstance(value, list) else value


def _yaml(said: Any, quote: str, flow: bool, width: int) -> str:
    class Quoting(yaml.SafeDumper):
        """Quotes every text, because PyYAML leaves words plain that other tools read as booleans."""

    Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, quote))
    return str(
        yaml.dump(said, Dumper=Quoting, allow_unicode=True, sort_keys=False, default_flow_style=flow, width=width)
    )


@given(campaigns(), st.randoms(use_true_random=False), st.booleans(), st.sampled_from([20, 80, 1_000]))
def test_format_comments_and_key_order_do_not_change_a_revision(
    campaign: Campaign, chance: random.Random, flow: bool, width: int
) -> None:
    canonical = canonical_campaign(campaign, "CNY")
    said = _shuffled(json.loads(canonical), chance)
    text = _yaml(said, chance.choice("'\""), flow, width)
    again, revision = read_campaign(f"# a comment\n{text}# the end\n".encode())
    assert again == campaign
    assert revision == revision_of(canonical)


@given(campaigns(), campaigns())
def test_campaigns_have_one_revision_exactly_when_they_are_equal(one: Campaign, other: Campaign) -> None:
    assert (canonical_campaign(one, "CNY") == canonical_campaign(other, "CNY")) == (one == other)


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [leaf for key, one in value.items() for leaf in _leaves(one, (*path, key))]
    if isinstance(value, list):
        return [leaf for index, one in enumerate(value) for leaf in _leaves(one, (*path, index))]
    return [path]


def _put(value: Any, path: Sequence[str | int], leaf: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = leaf


def _leaf(value: Any, path: Sequence[str | int]) -> Any:
    for key in path:
        value = value[key]
    return value


@given(campaigns(), st.data())
def test_any_changed_value_changes_the_revision(campaign: Campaign, data: st.DataObject) -> None:
    canonical = canonical_campaign(campaign, "CNY")
    said = json.loads(canonical)
    path = data.draw(st.sampled_from(_leaves(said)))
    assume(path != ("makegood",))
    before = _leaf(said, path)
    others = [_leaf(said, leaf) for leaf in _leaves(said)] + ["0.00 CNY", "0.01 CNY", "1%", "other", 0, 1, True, None]
    after = data.draw(st.sampled_from([one for one in others if one != before or type(one) is not type(before)]))
    _put(said, path, after)
    _, revision = read_campaign(_json(said))
    assert revision != revision_of(canonical)


@given(campaigns())
def test_a_summary_names_the_budget_and_what_payers_see_in_both_languages(campaign: Campaign) -> None:
    said = summarise(campaign, POLICY)
    for language in ("zh-CN", "en"):
        assert POLICY.labels[campaign.label].text[language] in said[language]
        assert f"{campaign.budget // 100:,}.{campaign.budget % 100:02d}" in said[language]
        assert "\n" not in said[language]


@given(campaigns(), st.integers(1, 50_000_000), st.binary(max_size=8))
def test_no_payment_is_granted_more_than_the_worst_payment(campaign: Campaign, amount: int, secret: bytes) -> None:
    worst = worst_loss(campaign, POLICY)
    discount = _discount(campaign.benefit, amount, secret)
    fits = all(limit.admits(0, 0, discount) for limit in campaign.limits)
    if fits and discount <= min(amount, campaign.budget):
        assert discount <= worst.payment_minor
    assert worst.payment_minor <= worst.total_minor <= campaign.budget or worst.total_minor == 0
    assert worst.per_second_minor <= worst.total_minor


def _discount(benefit: Benefit, amount: int, secret: bytes) -> int:
    """What a payment gets: the largest that any basket of the amount gets, for an item-level benefit."""
    if isinstance(benefit, ItemsOff | BuyXGetY | FreeItem):
        return item_bound(benefit, amount, amount)
    return gross_discount(benefit, amount, Draw(secret, "c", "p", NOW.day("UTC")))


@given(benefits, positive)
def test_stages_left_to_the_default_are_ones_that_the_policy_allows(benefit: Benefit, budget: int) -> None:
    said = json.loads(FILES_AS_JSON["campaign-spring.yaml"])
    campaign = read_campaign(json.dumps(said).encode())[0]
    assert campaign is not None
    text = canonical_campaign(_with(campaign, benefit, budget), "CNY")
    without = {key: value for key, value in json.loads(text).items() if key != "stages"}
    document = read_documents([Source("c.yaml", json.dumps(without).encode())], now=NOW, policy=HOUSE).campaigns[0]
    assert document.campaign is not None
    found = document.campaign.stages
    assert found[-1] == budget and list(found) == sorted(set(found))
    assert found[0] <= POLICY.stages.first_max
    assert all(after <= before * POLICY.stages.growth_max for before, after in pairwise(found))


def _with(campaign: Campaign, benefit: Benefit, budget: int) -> Campaign:
    return Campaign(
        campaign.id, campaign.title, campaign.label, campaign.funding, campaign.window, campaign.when, benefit, budget,
        campaign.limits, (budget,), campaign.stacking,
    )  # fmt: skip


FILES_AS_JSON = {
    "campaign-spring.yaml": read_documents(
        [Source("c.yaml", FILES["campaign-spring.yaml"])], now=NOW, policy=HOUSE
    ).campaigns[0].canonical
}  # fmt: skip


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    bundle = read_documents(
        [Source("x.yaml", b"makegood: campaign/1\n" + data), Source("y", data)], now=NOW, policy=HOUSE
    )
    assert bundle.has_errors


PIECES = [
    b"", b"'", b'"', b"{", b"}", b"[", b"]", b": ", b"\n", b"\n  ", b"- ", b"0", b"9" * 30, b"%", b"&a ", b"*a",
    b"!!int ", b"null", b"true", b"\xe6", b"\x00", b"| ", b"payment.", b"&& ", b"CNY", b"-1", b"1e9",
]  # fmt: skip


@given(st.sampled_from(NAMES), st.integers(0, 3_000), st.integers(0, 40), st.data())
def test_no_edit_of_an_example_breaks_the_reader(name: str, at: int, cut: int, data: st.DataObject) -> None:
    original = FILES[name]
    at = at % len(original)
    changed = original[:at] + data.draw(st.sampled_from(PIECES)) + original[at + cut :]
    sources = [Source(one, changed if one == name else FILES[one]) for one in NAMES]
    bundle = read_documents(sources, now=NOW)
    for finding in bundle.findings:
        assert finding.file in NAMES and finding.message
        assert finding.line is None or 1 <= finding.line <= changed.count(b"\n") + 200
    for document in bundle.campaigns:
        if document.campaign is None:
            assert any(finding.severity is Severity.ERROR for finding in bundle.findings)
