"""`inside_brief.*`: no payment is granted anything that the brief does not say, and no number is beyond the brief's."""

from collections.abc import Iterator, Mapping, Sequence

import z3

from makegood.documents.words import CHINESE, ENGLISH, money_words, scene_words
from makegood.domain.brief import Brief, Share, Window
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Limit, Period, Subject
from makegood.money import BASIS_POINTS, format_rate
from makegood.proof.obligations import Facts, Obligation
from makegood.proof.offer import Offer
from makegood.proof.words import Sight, Words, moment_words, shares_words, words
from makegood.rules.smt import SymbolicPayment

BRIEF_ROWS = tuple(
    f"inside_brief.{name}"
    for name in (
        "discount_max", "rate_max", "spend_min", "scenes", "label", "funding", "window", "budget", "per_payer",
    )
)  # fmt: skip

_NOBODY = -1  # The share of a funder who is not listed: not the same as a share of nothing.


def inside_brief(
    offer: Offer, brief: Brief, payment: SymbolicPayment, facts: Facts, zone: str, currency: str
) -> Sequence[Obligation]:
    """The nine rows, in the order of the brief."""
    campaign = offer.campaign
    return (
        _discount_max(offer, brief, currency),
        _rate_max(offer, brief, payment),
        _spend_min(brief, payment, currency),
        _scenes(brief, payment),
        _label(campaign, brief, facts),
        _funding(campaign, brief, facts),
        _window(brief, payment, zone),
        _budget(campaign, brief, facts, currency),
        _per_payer(campaign, brief, facts, currency),
    )


def _discount_max(offer: Offer, brief: Brief, currency: str) -> Obligation:
    en, zh = _money(brief.discount_max, currency)
    return Obligation(
        "inside_brief.discount_max",
        "/benefit",
        lambda _: words(f"the brief allows at most {en}", f"立项单规定每笔最多立减{zh}"),
        words(f"cap the benefit at {en}", f"把优惠上限设为{zh}"),
        grant=offer.discount > brief.discount_max,
    )


def _rate_max(offer: Offer, brief: Brief, payment: SymbolicPayment) -> Obligation:
    rate = format_rate(brief.rate_max)
    return Obligation(
        "inside_brief.rate_max",
        "/benefit",
        lambda _: words(f"the brief allows at most {rate} of the amount", f"立项单规定优惠不超过支付金额的{rate}"),
        words(f"lower the benefit, or raise the smallest amount, until it is {rate} at most",
              f"降低优惠或提高最低金额，使优惠不超过{rate}"),
        grant=offer.discount * BASIS_POINTS > payment.amount * brief.rate_max,
    )  # fmt: skip


def _spend_min(brief: Brief, payment: SymbolicPayment, currency: str) -> Obligation:
    en, zh = _money(brief.spend_min, currency)
    return Obligation(
        "inside_brief.spend_min",
        "/when",
        lambda _: words(f"the brief starts at {en}", f"立项单规定满{zh}才有优惠"),
        words(f"add `payment.amount >= {brief.spend_min}` to `when`",
              f"在`when`里加上`payment.amount >= {brief.spend_min}`"),
        grant=payment.amount < brief.spend_min,
    )  # fmt: skip


def _scenes(brief: Brief, payment: SymbolicPayment) -> Obligation:
    listed = ", ".join(f'"{scene}"' for scene in brief.scenes)

    def clause(sight: Sight) -> Words:
        scene = sight.payment["scene"]
        return words(f"the brief allows no {scene_words(scene, ENGLISH)}", f"立项单不包括{scene_words(scene, CHINESE)}")

    return Obligation(
        "inside_brief.scenes",
        "/when",
        clause,
        words(f"add `payment.scene in [{listed}]` to `when`", f"在`when`里加上`payment.scene in [{listed}]`"),
        grant=z3.Not(z3.Or([payment.is_text("scene", scene) for scene in brief.scenes])),
    )


def _label(campaign: Campaign, brief: Brief, facts: Facts) -> Obligation:
    return Obligation(
        "inside_brief.label",
        "/label",
        lambda _: words(f"it is shown as `{campaign.label}`; the brief says `{brief.label}`",
                        f"其优惠标签是`{campaign.label}`，立项单规定的是`{brief.label}`"),
        words(f"write `label: {brief.label}`", f"改为`label: {brief.label}`"),
        fact=facts.differ(campaign.label, brief.label),
    )  # fmt: skip


def _funding(campaign: Campaign, brief: Brief, facts: Facts) -> Obligation:
    ours, theirs = _by_funder(campaign.funding), _by_funder(brief.funding)
    differ = [
        facts.number(ours.get(funder, _NOBODY)) != facts.number(theirs.get(funder, _NOBODY))
        for funder in sorted({*ours, *theirs})
    ]

    def clause(_: Sight) -> Words:
        return words(
            f"it is paid {shares_words(campaign.funding, ENGLISH)}; the brief says "
            f"{shares_words(brief.funding, ENGLISH)}",
            f"其优惠由{shares_words(campaign.funding, CHINESE)}，立项单规定由{shares_words(brief.funding, CHINESE)}",
        )

    hint = words("copy `funding` from the brief", "照立项单填写`funding`")
    return Obligation("inside_brief.funding", "/funding", clause, hint, fact=facts.any(*differ))


def _by_funder(funding: Sequence[Share]) -> Mapping[str, int]:
    return {share.funder: share.basis_points for share in funding}


def _window(brief: Brief, payment: SymbolicPayment, zone: str) -> Obligation:
    opens, closes = moment_words(brief.window.opens, zone), moment_words(brief.window.closes, zone)

    def clause(_: Sight) -> Words:
        return words(
            f"the brief's window is {opens} until {closes} ({zone})", f"立项单的活动时段是{opens}至{closes}（{zone}）"
        )

    return Obligation(
        "inside_brief.window",
        "/window",
        clause,
        words("keep `window` inside the brief's", "把`window`改到立项单的活动时段之内"),
        grant=_outside(brief.window, payment),
    )


def _outside(window: Window, payment: SymbolicPayment) -> object:
    return z3.Or(payment.occurred_at < int(window.opens), payment.occurred_at >= int(window.closes))


def _budget(campaign: Campaign, brief: Brief, facts: Facts, currency: str) -> Obligation:
    ours, theirs = _money(campaign.budget, currency), _money(brief.budget, currency)
    return Obligation(
        "inside_brief.budget",
        "/limits/budget",
        lambda _: words(f"so may others until {ours[0]} are gone; the brief's budget is {theirs[0]}",
                        f"其他支付也会如此，直到用完{ours[1]}；立项单的预算是{theirs[1]}"),
        words(f"lower `budget` to {theirs[0]}", f"把`budget`降到{theirs[1]}"),
        fact=facts.above(campaign.budget, brief.budget),
    )  # fmt: skip


def _per_payer(campaign: Campaign, brief: Brief, facts: Facts, currency: str) -> Obligation:
    bad, english, chinese = [], [], []
    for kind, most, ours in _payer_pairs(campaign, brief):
        # A limit that is not there is one number beyond the brief's, whatever the brief's is.
        bad.append(facts.above(most + 1 if ours is None else ours, most))
        if ours is None or ours > most:
            ours_en, ours_zh = ("without limit", "没有限制") if ours is None else _most(kind, ours, currency)
            en, zh = _most(kind, most, currency)
            english.append(f"one payer may get it {ours_en}; the brief says {en}")
            chinese.append(f"每位付款方{ours_zh}，立项单规定{zh}")
    return Obligation(
        "inside_brief.per_payer",
        "/limits/per_payer",
        lambda _: words(", and ".join(english), "；".join(chinese)),
        words("copy `per_payer` from the brief into `limits`", "照立项单填写`limits`里的`per_payer`"),
        fact=facts.any(*bad),
    )


def _most(kind: str, most: int, currency: str) -> tuple[str, str]:
    if kind == "count":
        return f"{most:,} times", f"最多{most:,}次"
    en, zh = _money(most, currency)
    return f"up to {en}", f"最多{zh}"


def _payer_pairs(campaign: Campaign, brief: Brief) -> Iterator[tuple[str, int, int | None]]:
    """For each kind that the brief limits: its name, the brief's limit, the campaign's."""
    held = [one for one in campaign.limits if (one.subject, one.period) == (Subject.PAYER, Period.EVER)]
    ours = held[0] if held else Limit(Subject.PAYER, Period.EVER)
    if brief.per_payer.count is not None:
        yield "count", brief.per_payer.count, ours.count_max
    if brief.per_payer.amount is not None:
        yield "amount", brief.per_payer.amount, ours.amount_max


def _money(minor: int, currency: str) -> tuple[str, str]:
    return money_words(minor, currency, ENGLISH), money_words(minor, currency, CHINESE)
