"""A trip in one sentence with its numbers, in English and Chinese."""

from collections.abc import Mapping

from makegood.clock import SECOND
from makegood.guard.checks import CollarCheck, Number, Trip
from makegood.money import currency_digits

ENGLISH, CHINESE = "en", "zh-CN"

_IN_MONEY = frozenset(
    {
        CollarCheck.AMOUNT_IS_OUT_OF_BOUNDS,
        CollarCheck.DISCOUNT_IS_ABOVE_AMOUNT,
        CollarCheck.DISCOUNT_IS_ABOVE_MAX,
        CollarCheck.RATE_IS_ABOVE_MAX,
        CollarCheck.AMOUNT_IS_BELOW_SPEND_MIN,
        CollarCheck.DISCOUNT_IS_ABOVE_FIRST_STAGE,
        CollarCheck.DISCOUNT_IS_ABOVE_BUDGET,
        CollarCheck.SPEND_IS_FAR_ABOVE_EXPECTED,
        CollarCheck.GRANTS_ARE_ABOVE_BRIEF,
        CollarCheck.SUM_IS_ABOVE_AMOUNT,
        CollarCheck.STAGE_IS_NOT_OPEN,
        CollarCheck.DISCOUNT_IS_ABOVE_PAYERS,
        CollarCheck.PAYER_AMOUNT_IS_FAR_ABOVE,
        CollarCheck.PAYEE_SPEND_IS_FAR_ABOVE,
    }
)
_IN_TIME = frozenset({CollarCheck.LEASE_IS_NOT_FRESH, CollarCheck.CLOCK_JUMPED})

_CLAUSES: Mapping[CollarCheck, tuple[str, str]] = {
    CollarCheck.CAMPAIGN_IS_UNKNOWN: ("no brief allows this campaign", "没有立项单允许该活动"),
    CollarCheck.REVISION_IS_NOT_APPROVED: (
        "revision {seen} was never approved; {allowed} is",
        "版本{seen}从未获批，获批的是{allowed}",
    ),
    CollarCheck.REVISION_IS_REPLACED: (
        "revision {seen} was replaced by {allowed}",
        "版本{seen}已被{allowed}取代",
    ),
    CollarCheck.LABEL_IS_NOT_DECLARED: (
        "the policy has no label `{seen}`; it has {allowed}",
        "平台规则没有优惠标签`{seen}`，只有{allowed}",
    ),
    CollarCheck.OWNER_DOES_NOT_FUND: (
        "label `{seen}` belongs to `{allowed}`, who pays no share",
        "优惠标签`{seen}`属于`{allowed}`，但其不出资",
    ),
    CollarCheck.FUNDER_IS_NOT_DECLARED: (
        "the policy has no funder `{seen}`; it has {allowed}",
        "平台规则没有出资方`{seen}`，只有{allowed}",
    ),
    CollarCheck.SHARES_DO_NOT_ADD_UP: (
        "the funders' shares add up to {seen} basis points, not {allowed}",
        "出资比例合计{seen}个基点，应为{allowed}个",
    ),
    CollarCheck.CURRENCY_DIFFERS: (
        "the payment is in {seen}, the policy in {allowed}",
        "支付币种是{seen}，平台规则的币种是{allowed}",
    ),
    CollarCheck.AMOUNT_IS_OUT_OF_BOUNDS: (
        "the amount {seen} is beyond {allowed}, the policy's bound",
        "支付金额{seen}超出平台规则的界限{allowed}",
    ),
    CollarCheck.SCENE_IS_NOT_DECLARED: (
        "the policy has no scene `{seen}`; it has {allowed}",
        "平台规则没有支付场景`{seen}`，只有{allowed}",
    ),
    CollarCheck.PAYER_IS_MISSING: (
        "it has a limit for each payer, and the payment names none",
        "活动对每位付款方有限制，但支付没有付款方",
    ),
    CollarCheck.DISCOUNT_IS_NOT_MONEY: (
        "the discount {seen} is not a whole number of minor units above zero",
        "立减金额{seen}不是大于零的整数（最小货币单位）",
    ),
    CollarCheck.DISCOUNT_IS_ABOVE_AMOUNT: (
        "{seen} off is more than the amount, {allowed}",
        "立减{seen}超过支付金额{allowed}",
    ),
    CollarCheck.DISCOUNT_IS_ABOVE_MAX: (
        "{seen} off; the brief allows at most {allowed}",
        "立减{seen}，立项单规定每笔最多{allowed}",
    ),
    CollarCheck.RATE_IS_ABOVE_MAX: (
        "{seen} off; the brief's largest share of the amount is {allowed}",
        "立减{seen}，按立项单的最大比例只能减{allowed}",
    ),
    CollarCheck.AMOUNT_IS_BELOW_SPEND_MIN: (
        "the amount is {seen}; the brief starts at {allowed}",
        "支付金额{seen}，立项单规定满{allowed}才有优惠",
    ),
    CollarCheck.SCENE_IS_NOT_IN_BRIEF: (
        "the scene is `{seen}`; the brief has {allowed}",
        "支付场景是`{seen}`，立项单只包括{allowed}",
    ),
    CollarCheck.LABEL_DIFFERS: (
        "it is shown as `{seen}`; the brief says `{allowed}`",
        "优惠标签是`{seen}`，立项单规定的是`{allowed}`",
    ),
    CollarCheck.FUNDERS_DIFFER: (
        "it is paid by {seen}; the brief says {allowed}",
        "出资方是{seen}，立项单规定的是{allowed}",
    ),
    CollarCheck.WINDOW_IS_NOT_OPEN: (
        "it is {seen}; the brief's window is {allowed}",
        "此时是{seen}，立项单的活动时段是{allowed}",
    ),
    CollarCheck.DISCOUNT_IS_ABOVE_FIRST_STAGE: (
        "{seen} off is more than a first stage may hold, {allowed}",
        "立减{seen}超过首个放量阶段的上限{allowed}",
    ),
    CollarCheck.DISCOUNT_IS_ABOVE_BUDGET: (
        "{seen} off is more than the brief's budget, {allowed}",
        "立减{seen}超过立项单的预算{allowed}",
    ),
    CollarCheck.SPEND_IS_FAR_ABOVE_EXPECTED: (
        "{seen} within a minute on one node; the collar's bound by the brief is {allowed}",
        "单个节点一分钟内发放{seen}，按立项单推出的硬限是{allowed}",
    ),
    CollarCheck.GRANTS_ARE_ABOVE_BRIEF: (
        "its grants to one payment add up to {seen}; the brief allows {allowed}",
        "对同一笔支付合计立减{seen}，立项单只允许{allowed}",
    ),
    CollarCheck.CAMPAIGN_IS_GRANTED_TWICE: (
        "it was to be granted {seen} times to one payment; {allowed} is right",
        "对同一笔支付给了{seen}次优惠，只应有{allowed}次",
    ),
    CollarCheck.SUM_IS_ABOVE_AMOUNT: (
        "all discounts add up to {seen}, the amount is {allowed}",
        "各项优惠合计{seen}，超过支付金额{allowed}",
    ),
    CollarCheck.LEASE_IS_NOT_FRESH: (
        "the node's lease has {seen} s left; between 0 and {allowed} s is right",
        "节点的授权租约剩余{seen}秒，应在0至{allowed}秒之间",
    ),
    CollarCheck.CLOCK_JUMPED: (
        "the clock jumped by {seen} s",
        "时钟跳变了{seen}秒",
    ),
    CollarCheck.PAYMENT_WAS_GRANTED_OTHERWISE: (
        "this payment id has other grants already: {allowed} of them, now {seen}",
        "同一支付编号此前已有不同的优惠（{allowed}项，现为{seen}项）",
    ),
    CollarCheck.PAYER_IS_PAYEE: ("the payer is the payee", "付款方就是收款方"),
    CollarCheck.PAYER_IS_REFERRER: ("the payer is the referrer", "付款方就是推荐人"),
    CollarCheck.STAGE_IS_NOT_OPEN: (
        "{seen} off; {allowed} of the open stage are left on this node",
        "立减{seen}，本节点上当前放量阶段只剩{allowed}",
    ),
    CollarCheck.DISCOUNT_IS_ABOVE_PAYERS: (
        "{seen} off; one payer may have {allowed} in all",
        "立减{seen}，每位付款方总共只能得{allowed}",
    ),
    CollarCheck.PAYER_COUNT_IS_FAR_ABOVE: (
        "{seen} grants to one payer within an hour; the collar's bound is {allowed}",
        "同一付款方一小时内第{seen}次优惠，硬限是{allowed}次",
    ),
    CollarCheck.PAYER_AMOUNT_IS_FAR_ABOVE: (
        "{seen} to one payer within an hour; the collar's bound is {allowed}",
        "同一付款方一小时内得到{seen}，硬限是{allowed}",
    ),
    CollarCheck.DEVICE_COUNT_IS_FAR_ABOVE: (
        "{seen} grants to one device within an hour; the collar's bound is {allowed}",
        "同一设备一小时内第{seen}次优惠，硬限是{allowed}次",
    ),
    CollarCheck.PAYEE_SPEND_IS_FAR_ABOVE: (
        "{seen} at one payee within a minute; the collar's bound is {allowed}",
        "同一收款方一分钟内得到{seen}，硬限是{allowed}",
    ),
}


def words(trip: Trip) -> Mapping[str, str]:
    """The trip by language: which campaign and payment, what was seen, what is allowed, and what follows."""
    english, chinese = _CLAUSES[trip.check]
    english = english.format(seen=_said(trip, trip.seen, ENGLISH), allowed=_said(trip, trip.allowed, ENGLISH))
    chinese = chinese.format(seen=_said(trip, trip.seen, CHINESE), allowed=_said(trip, trip.allowed, CHINESE))
    end = ("the breaker opens", "熔断器打开") if trip.opens_breaker else ("this grant is withheld", "本笔优惠不予发放")
    return {
        CHINESE: f"活动`{trip.campaign}`，支付`{trip.payment.payment_id}`：{chinese}；{end[1]}。",
        ENGLISH: f"`{trip.campaign}`, payment `{trip.payment.payment_id}`: {english}; {end[0]}.",
    }


def _said(trip: Trip, value: Number, language: str) -> str:
    if isinstance(value, str):
        return value
    if trip.check in _IN_MONEY:
        return _money(value, trip.payment.currency, language)
    return f"{value / SECOND:,.1f}" if trip.check in _IN_TIME else f"{value:,}"


def _money(minor: int, currency: str, language: str) -> str:
    """`1,000.00 CNY`, or `1,000.00元` in Chinese; of a currency that nobody knows the minor units."""
    try:
        digits = currency_digits(currency)
    except ValueError:
        return f"{minor:,} {currency}"
    whole, rest = divmod(abs(minor), 10**digits)
    number = ("-" if minor < 0 else "") + f"{whole:,}" + (f".{rest:0{digits}d}" if digits else "")
    return f"{number}元" if language == CHINESE and currency == "CNY" else f"{number} {currency}"
