"""Trios that are right, from a seed: a policy, a brief that fits it, a campaign that keeps both, and others beside it.

Right is what the oracle finds nothing wrong with; a try that it finds fault with is thrown away.
"""

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any

from tests.mutation.benefits import WHERES, benefit_of, most_off, rate_agreed
from tests.mutation.conditions import ATTRIBUTES, SCENES, amount_terms, other_terms, scene_term
from tests.mutation.documents import Document, Trio, money
from tests.mutation.oracle import POLICY, judge

from makegood.domain.campaign import Campaign

ZONES = ("Asia/Shanghai", "Asia/Shanghai", "Europe/Berlin", "Asia/Kathmandu", "America/New_York")
AMOUNTS_MAX = (50_000, 500_000, 50_000_000)
LABELS: dict[str, Document] = {
    "government_subsidy": {"text": {"zh-CN": "政府补贴", "en": "Government subsidy"}, "owner": "gov"},
    "merchant_coupon": {"text": {"zh-CN": "商家优惠", "en": "Merchant discount"}},
    "platform_gift": {"text": {"zh-CN": "平台红包", "en": "Platform gift"}, "owner": "platform"},
}
FUNDERS = ("platform", "gov", "merchant")
GROUPS = ("instant", "codes", "gifts", "member")
WINDOW = ("2027-02-01T00:00:00+08:00", "2027-02-15T00:00:00+08:00")
LIVE_WINDOWS = (
    WINDOW,
    ("2027-01-20T00:00:00+08:00", "2027-02-05T12:00:00+08:00"),
    ("2027-02-10T00:00:00Z", "2027-03-01T00:00:00Z"),
    ("2027-03-01T00:00:00Z", "2027-03-02T00:00:00Z"),
)
RIVALS = 0.6
STAGES = (["1000.00 CNY", "10000.00 CNY", "50000.00 CNY"], ["500.00 CNY", "5000.00 CNY", "50000.00 CNY"])


def correct_trios(seed: int) -> Iterator[Trio]:
    """Right trios without end, the same for the same seed. Each is named by what makes it again."""
    for attempt in count():
        trio = correct_trio(f"{seed}:{attempt}")
        if trio is not None:
            yield trio


def correct_trio(name: str) -> Trio | None:
    """The trio of that name, if it is right."""
    trio = draft(name)
    assert trio.campaign is not None, trio.text()
    if judge(trio.campaign, trio.brief, trio.policy, trio.live, is_hasty=True).is_harmful:
        return None
    return trio if all(_keeps_rules(one, trio) for one in trio.live) else None


def _keeps_rules(live: Campaign, trio: Trio) -> bool:
    """Whether what is live keeps the policy's rules without the new campaign, as a house's live set does."""
    faults = judge(live, trio.brief, trio.policy, trio.live).faults
    return not {f"{POLICY}{rule.id}" for rule in trio.policy.rules} & set(faults)


def draft(name: str) -> Trio:
    """A trio that may be right."""
    rng = Random(name)
    zone, amount_max = rng.choice(ZONES), rng.choice(AMOUNTS_MAX)
    attributes = rng.sample(sorted(ATTRIBUTES), rng.randint(2, 5))
    house = _House(rng, zone, amount_max, attributes)
    scenes = rng.sample(SCENES, rng.choice([1, 1, 2, 3]))
    spend = rng.choice([1_000, 2_000, 5_000, 10_000, 12_345])
    benefit = benefit_of(rng, spend)
    campaign = house.campaign("cmp-new", scenes, spend, benefit, WINDOW)
    rivals = [house.rival(campaign, scenes, spend)] if rng.random() < RIVALS else []
    numbers = rng.choice([0, 0, 0, 1]) if rivals else rng.choice([0, 0, 0, 1, 2, 3, 3])
    live = [*rivals, *(house.neighbour(number, scenes) for number in range(numbers))]
    policy = house.policy(scenes, _too_much(rng, benefit, rivals[0]["benefit"]) if rivals else None)
    return Trio(name, policy, house.brief(campaign, scenes, spend, benefit), campaign, live)


def _too_much(rng: Random, benefit: Document, other: Document) -> int:
    """A total that each keeps alone, and both together do not."""
    mine, theirs = most_off(benefit), most_off(other)
    return max(mine, theirs) + rng.randint(0, min(mine, theirs) // 4)


class _House:
    """What the documents of one trio have in common."""

    def __init__(self, rng: Random, zone: str, amount_max: int, attributes: list[str]) -> None:
        self.rng, self.zone, self.amount_max, self.attributes = rng, zone, amount_max, attributes

    def policy(self, scenes: list[str], together: int | None) -> Document:
        """Bounds that a careful campaign keeps, and some rules; with `together`, one that says so of the total."""
        rng = self.rng
        others = [scene for scene in SCENES if scene not in scenes][:3]
        rules = dict(rng.sample(sorted(self._rules(others).items()), 5))
        rules |= {"capped-together": {"always": f"total <= {together}"}} if together is not None else {}
        return {
            "makegood": "policy/1", "id": "house", "currency": "CNY", "timezone": self.zone,
            "payment": {
                "amount": {"min": "0.01 CNY", "max": money(self.amount_max)},
                "scene": list(SCENES), "channel": ["app", "mini_program", "web"],
                "attributes": {name: ATTRIBUTES[name] for name in self.attributes},
            },
            "peak": {"payments_per_second": rng.choice([10, 1000])},
            "labels": LABELS, "funders": {name: {"keys": []} for name in FUNDERS},
            "rules": [{"id": name, **rule} for name, rule in rules.items()],
            "stages": {"first_max": "1000.00 CNY", "growth_max": 10},
            "worst": {"per_second": rng.choice(["6000.00 CNY", "100000.00 CNY"]), "total": "1000000.00 CNY"},
            "approvals": [{"approvers": 1}],
        }  # fmt: skip

    def _rules(self, scenes: list[str]) -> dict[str, dict[str, str]]:
        rng, zone = self.rng, self.zone
        quoted = "[" + ", ".join(f'"{scene}"' for scene in scenes) + "]"
        return {
            "not-there": {"never": f"payment.scene in {quoted} && total > 0"},
            "half-at-most": {"always": "total * 2 <= payment.amount"},
            "share-at-most": {"always": f"discount * 100 <= payment.amount * {rng.choice([25, 30, 40])}"},
            "capped": {"always": f"discount <= {rng.choice([5_000, 10_000, 20_000])}"},
            "capped-together": {"always": f"total <= {rng.choice([6_000, 15_000, 30_000])}"},
            "subsidy-is-gov": {"always": 'label != "government_subsidy" || funder == "gov"'},
            "merchant-pays-little": {"never": 'funder == "merchant" && discount > 5000'},
            "small-is-small": {"always": "payment.amount >= 1000 || discount <= 100"},
            "no-betting": {"never": 'has(payment.merchant_category) && payment.merchant_category == "7995" '
                                    "&& total > 4000"},
            "quiet-nights": {"never": f'payment.occurred_at.getHours("{zone}") < 6 && total > 8000'},
            "web-is-little": {"always": 'payment.channel != "web" || total <= 9000'},
        }  # fmt: skip

    def campaign(
        self, identity: str, scenes: list[str], spend: int, benefit: Document, window: tuple[str, str]
    ) -> Document:
        """A campaign for these scenes from that amount on."""
        rng = self.rng
        label = rng.choice([*LABELS, "merchant_coupon", "merchant_coupon"])
        terms = [scene_term(rng, scenes), *amount_terms(rng, spend, self.amount_max)]
        terms += other_terms(rng, self.zone, self.attributes)
        rng.shuffle(terms)
        payer: Document = {"count": rng.choice([1, 3, 10]), "amount": money(rng.choice([10_000, 50_000]))}
        if rng.random() < 0.3:
            payer.pop(rng.choice(["count", "amount"]))
        if rng.random() < 0.3:
            payer["per_day"] = {"count": 1}
        limits: Document = {"budget": "50000.00 CNY", "per_payer": payer}
        limits |= {"per_day": "5000.00 CNY"} if rng.random() < 0.3 else {}
        limits |= {"per_device": {"count": 5}} if rng.random() < 0.2 else {}
        stacking: Document = {"group": rng.choice(GROUPS), "priority": rng.randint(1, 100)}
        stacking |= {"combines_with": rng.sample(GROUPS, 2)} if rng.random() < 0.3 else {}
        document = {
            "makegood": "campaign/1", "id": identity, "title": {"zh-CN": "立减", "en": "Discount"}, "label": label,
            "funding": self._funding(label), "window": {"from": window[0], "until": window[1]},
            "when": " && ".join(terms), "benefit": benefit, "limits": limits,
            "stages": rng.choice(STAGES),
            "stacking": stacking,
        }  # fmt: skip
        return document | ({"codes": {"single": rng.choice(["SPRING", "LUNAR"])}} if rng.random() < 0.15 else {})

    def _funding(self, label: str) -> list[Document]:
        if label == "government_subsidy" and self.rng.random() < 0.7:
            return [{"funder": "gov", "share": "100%"}]
        owner = LABELS[label].get("owner", self.rng.choice(FUNDERS))
        share = self.rng.choice([100, 100, 70, 50])
        other = self.rng.choice([name for name in FUNDERS if name != owner])
        rest = [{"funder": other, "share": f"{100 - share}%"}] if share < 100 else []
        return [{"funder": owner, "share": f"{share}%"}, *rest]

    def neighbour(self, number: int, scenes: list[str]) -> Document:
        """A campaign that is live beside the new one."""
        rng = self.rng
        spend = rng.choice([1_000, 5_000, 20_000])
        near = scenes if rng.random() < 0.8 else rng.sample(SCENES, 2)
        return self.campaign(f"live-{number}", near, spend, benefit_of(rng, spend), rng.choice(LIVE_WINDOWS))

    def rival(self, campaign: Document, scenes: list[str], spend: int) -> Document:
        """A live campaign for the same payments that stands apart only because of how the two stack."""
        rng, mine = self.rng, campaign["stacking"]
        off = rng.randint(spend // 10, spend // 4)
        benefit: Document = rng.choice([
            {"amount_off": {"amount": money(off)}}, {"percent_off": {"rate": "25%", "up_to": money(off)}},
            {"free_item": {"where": rng.choice(WHERES), "up_to": money(off)}},
        ])  # fmt: skip
        other = self.campaign("live-rival", scenes, spend, benefit, WINDOW)
        other["when"] = f"{scene_term(rng, scenes)} && payment.amount >= {spend}"
        apart = rng.choice([name for name in GROUPS if name != mine["group"]])
        match rng.choices(["same group", "mine does not list it", "it lists mine"], [5, 3, 1])[0]:
            case "same group":
                mine.pop("combines_with", None)
                other["stacking"] = {"group": mine["group"], "priority": 5}
            case "mine does not list it":
                mine["combines_with"] = [name for name in GROUPS if name not in (apart, mine["group"])]
                other["stacking"] = {"group": apart, "priority": 5}
            case _:
                mine.pop("combines_with", None)
                other["stacking"] = {"group": apart, "priority": 5, "combines_with": [mine["group"]]}
        return other

    def brief(self, campaign: Document, scenes: list[str], spend: int, benefit: Document) -> Document:
        """What the campaign was agreed to be; the bounds tight, or with some room."""
        rng = self.rng
        limits, slack = campaign["limits"], rng.choice([0, 0, 1])
        payer: dict[str, Any] = {
            key: limits["per_payer"][key] for key in ("count", "amount") if key in limits["per_payer"]
        }
        return {
            "makegood": "brief/1", "campaign": campaign["id"], "purpose": campaign["title"],
            "label": campaign["label"], "funding": campaign["funding"], "window": campaign["window"],
            "scenes": [*scenes, *([next(scene for scene in SCENES if scene not in scenes)] if slack else [])],
            "spend_min": money(spend - slack * 100), "discount_max": money(most_off(benefit) + slack * 150),
            "rate_max": rate_agreed(rng, benefit),
            "budget": limits["budget"], "per_payer": payer, "stages": {"first_max": "1000.00 CNY"},
            "expect": {"share_of_payments": "5%", "discount_mean": "5.00 CNY", "spend_per_minute": "1000.00 CNY"},
        }  # fmt: skip
