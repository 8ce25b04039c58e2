"""One sentence that says what a campaign does, made from the configuration itself, in Chinese and English."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from makegood.documents.audience import audience_words
from makegood.documents.goods import goods_words
from makegood.documents.words import CHINESE, ENGLISH, either, money_words
from makegood.domain.benefit import AmountOff, Benefit, BuyXGetY, FreeItem, ItemsOff, PercentOff, RandomOff, Tiers
from makegood.domain.campaign import Campaign
from makegood.domain.limit import Limit, Period, Subject
from makegood.domain.policy import Policy, SharedLimit
from makegood.money import BASIS_POINTS, format_rate
from makegood.rules.environment import Environment

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PERIODS: Mapping[Period, tuple[str, str]] = {
    Period.EVER: ("", ""), Period.DAY: (" a day", "每天"), Period.HOUR: (" an hour", "每小时")
}  # fmt: skip
_SUBJECTS: Mapping[Subject, tuple[str, str]] = {
    Subject.ALL: ("all together", "全部合计"),
    Subject.PAYER: ("each payer", "每位付款方"),
    Subject.DEVICE: ("each device", "每台设备"),
    Subject.PAYEE: ("each payee", "每个收款方"),
}


def summarise(campaign: Campaign, policy: Policy, *, environment: Environment | None = None) -> dict[str, str]:
    """`{"zh-CN": …, "en": …}`. `environment` saves making one for the policy's schema again."""
    return {
        CHINESE: _chinese(campaign, policy, audience_words(campaign.when, policy, CHINESE, environment)),
        ENGLISH: _english(campaign, policy, audience_words(campaign.when, policy, ENGLISH, environment)),
    }


def _english(campaign: Campaign, policy: Policy, audience: str) -> str:
    c = policy.currency
    opens, closes = (moment.local(policy.timezone) for moment in (campaign.window.opens, campaign.window.closes))
    shares = ", ".join(f"{format_rate(share.basis_points)} by {share.funder}" for share in campaign.funding)
    clauses = [
        f"{benefit_words(campaign.benefit, c, ENGLISH)}, {audience}"
        + (f" with the code {campaign.code}" if campaign.code else "")
        + f", from {_day(opens)} until {_day(closes)} ({policy.timezone})",
        *_limits(campaign, c, ENGLISH),
        *_shared_limits(campaign, policy, ENGLISH),
        f"budget {money_words(campaign.budget, c, ENGLISH)}, {money_words(campaign.stages[0], c, ENGLISH)} open first"
        + (", a person opens each next stage" if campaign.opens_by_hand else ""),
        f"paid {shares}",
        f"shown as “{policy.labels[campaign.label].text[ENGLISH]}”",
    ]
    sentence = "; ".join(clauses) + "."
    return sentence[0].upper() + sentence[1:]


def _chinese(campaign: Campaign, policy: Policy, audience: str) -> str:
    c = policy.currency
    opens, closes = (moment.local(policy.timezone) for moment in (campaign.window.opens, campaign.window.closes))
    shares = "、".join(f"{share.funder}承担{format_rate(share.basis_points)}" for share in campaign.funding)
    clauses = [
        f"{audience}" + (f"并使用优惠码{campaign.code}" if campaign.code else "")
        + f"，{benefit_words(campaign.benefit, c, CHINESE)}",
        f"{_day_zh(opens)}至{_day_zh(closes)}（{policy.timezone}）",
        *_limits(campaign, c, CHINESE),
        *_shared_limits(campaign, policy, CHINESE),
        f"预算{money_words(campaign.budget, c, CHINESE)}，首期放量{money_words(campaign.stages[0], c, CHINESE)}"
        + ("，之后每一阶段由人放开" if campaign.opens_by_hand else ""),
        f"由{shares}",
        f"向付款方显示为“{policy.labels[campaign.label].text[CHINESE]}”",
    ]  # fmt: skip
    return "；".join(clauses) + "。"


def benefit_words(benefit: Benefit, currency: str, language: str) -> str:
    """The benefit alone, in words."""

    def money(minor: int) -> str:
        return money_words(minor, currency, language)

    english = language == ENGLISH
    match benefit:
        case PercentOff() | AmountOff():
            return _off(benefit, currency, language)
        case ItemsOff(where=where, off=off):
            return _off(off, currency, language, goods_words(where, language))
        case RandomOff(min=low, max=high):
            return f"a random {money(low)} to {money(high)} off" if english else f"随机立减{money(low)}至{money(high)}"
        case Tiers(tiers=tiers) if english:
            return ", ".join(f"{money(tier.off)} off from {money(tier.spend)}" for tier in tiers)
        case Tiers(tiers=tiers):
            return "，".join(f"满{money(tier.spend)}减{money(tier.off)}" for tier in tiers)
        case BuyXGetY():
            return _deal_english(benefit, currency) if english else _deal_chinese(benefit, currency)
        case FreeItem(where=where, up_to=up_to) if english:
            return f"the cheapest {goods_words(where, language, 1)} free, at most {money(up_to)}"
        case FreeItem(where=where, up_to=up_to):
            return f"{goods_words(where, language)}中最便宜的一件免费，最高{money(up_to)}"


def _off(off: PercentOff | AmountOff, currency: str, language: str, goods: str = "") -> str:
    """A share or an amount off the payment, or off some goods."""
    much = format_rate(off.rate) if isinstance(off, PercentOff) else money_words(off.amount, currency, language)
    cap = money_words(off.up_to, currency, language) if isinstance(off, PercentOff) else ""
    if language == CHINESE:
        return f"{goods}立减{much}" + (f"，最高{cap}" if cap else "")
    return f"{much} off" + (f" {goods}" if goods else "") + (f", at most {cap}" if cap else "")


def _deal_english(deal: BuyXGetY, currency: str) -> str:
    off = "free" if deal.rate == BASIS_POINTS else f"at {format_rate(deal.rate)} off"
    bought = f"{deal.buy.count} {goods_words(deal.buy.where, ENGLISH, deal.buy.count)}"
    alike = deal.get.where == deal.buy.where
    got = f"{deal.get.count} " + ("more" if alike else goods_words(deal.get.where, ENGLISH, deal.get.count))
    return f"for every {bought}, {got} {off}, the cheapest first, at most {money_words(deal.up_to, currency, ENGLISH)}"


def _deal_chinese(deal: BuyXGetY, currency: str) -> str:
    off = "免费" if deal.rate == BASIS_POINTS else f"立减{format_rate(deal.rate)}"
    alike = deal.get.where == deal.buy.where
    got = "" if alike else goods_words(deal.get.where, CHINESE)
    bought = f"每买{deal.buy.count}件{goods_words(deal.buy.where, CHINESE)}"
    return f"{bought}，另{deal.get.count}件{got}{off}（低价优先），最高{money_words(deal.up_to, currency, CHINESE)}"


def _limits(campaign: Campaign, currency: str, language: str) -> list[str]:
    by_subject = [[limit for limit in campaign.limits if limit.subject is subject] for subject in _SUBJECTS]
    return [_capped(limits, currency, language) for limits in by_subject if limits]


def _shared_limits(campaign: Campaign, policy: Policy, language: str) -> list[str]:
    return [_together(shared, policy, language) for shared in policy.limits_on(campaign.label)]


def _together(shared: SharedLimit, policy: Policy, language: str) -> str:
    """A limit across campaigns in words: with whom it is shared, and what it caps."""
    shown = [f"“{policy.labels[label].text[language]}”" for label in shared.labels or ()]
    everybody = shared.limit.subject is Subject.ALL
    capped = _capped([shared.limit], policy.currency, language, named=not everybody)
    if language == CHINESE:
        who = f"显示为{either(shown, language)}的" if shown else "所有"
        return f"{who}营销活动合计" + ("" if everybody else "，") + capped
    return "in all campaigns" + (f" shown as {either(shown, language)}" if shown else "") + f" together, {capped}"


def _capped(limits: Sequence[Limit], currency: str, language: str, *, named: bool = True) -> str:
    """Limits of one subject in words, beginning with the subject where it is `named`."""
    caps = [_cap(limit, currency, language) for limit in limits]
    english, chinese = _SUBJECTS[limits[0].subject] if named else ("", "")
    return f"{english} {', '.join(caps)}".lstrip() if language == ENGLISH else f"{chinese}限{'、'.join(caps)}"


def _cap(limit: Limit, currency: str, language: str) -> str:
    money = None if limit.amount_max is None else money_words(limit.amount_max, currency, language)
    every, every_zh = _PERIODS[limit.period]
    if language == CHINESE:
        parts = [] if limit.count_max is None else [f"{every_zh}{limit.count_max:,}次"]
        return "、".join(parts + ([] if money is None else [f"{every_zh or '共'}{money}"]))
    count = None if limit.count_max is None else _times(limit.count_max)
    return " and ".join(part for part in (count, money) if part is not None) + every


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _day(moment: datetime) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year} {_clock(moment)}"


def _day_zh(moment: datetime) -> str:
    return f"{moment.year}年{moment.month}月{moment.day}日{_clock(moment)}"


def _clock(moment: datetime) -> str:
    """Hours and minutes; seconds only where they are not zero."""
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"
