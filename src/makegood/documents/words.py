"""Words of the generated sentence that are the same wherever they stand, in English and Chinese."""

from collections.abc import Sequence

from makegood.money import currency_digits

ENGLISH, CHINESE = "en", "zh-CN"

SCENES = {
    "in_store_qr": {ENGLISH: "in-store QR payments", CHINESE: "到店扫码支付"},
    "in_store": {ENGLISH: "in-store payments", CHINESE: "到店支付"},
    "online": {ENGLISH: "online payments", CHINESE: "线上支付"},
    "transfer": {ENGLISH: "transfers", CHINESE: "转账"},
    "card_repayment": {ENGLISH: "card repayments", CHINESE: "信用卡还款"},
    "bill": {ENGLISH: "bill payments", CHINESE: "生活缴费"},
    "rent": {ENGLISH: "rent payments", CHINESE: "房租支付"},
    "transit": {ENGLISH: "transit payments", CHINESE: "公交地铁出行"},
    "purchase": {ENGLISH: "purchases", CHINESE: "消费支付"},
}
FIELDS = {
    "channel": {ENGLISH: "channel", CHINESE: "渠道"},
    "instrument": {ENGLISH: "instrument", CHINESE: "支付工具"},
    "city": {ENGLISH: "city", CHINESE: "城市"},
    "merchant_category": {ENGLISH: "merchant category", CHINESE: "商户类别"},
    "payee_id": {ENGLISH: "payee", CHINESE: "收款方"},
    "payer_id": {ENGLISH: "payer", CHINESE: "付款方"},
    "items_count": {ENGLISH: "number of items", CHINESE: "商品件数"},
    "store_type": {ENGLISH: "store type", CHINESE: "门店类型"},
}


def money_words(minor: int, currency: str, language: str) -> str:
    """`1,000.00 CNY` in English; `1,000.00元` in Chinese, other currencies by their code."""
    digits = currency_digits(currency)
    whole, fraction = divmod(minor, 10**digits)
    number = f"{whole:,}" + (f".{fraction:0{digits}d}" if digits else "")
    return f"{number}元" if language == CHINESE and currency == "CNY" else f"{number} {currency}"


def scene_words(scene: str, language: str) -> str:
    """The scene as people call it; one that is not known by its own name."""
    known = SCENES.get(scene)
    if known is not None:
        return known[language]
    return f"`{scene}`支付" if language == CHINESE else f"`{scene}` payments"


def field_words(field: str, language: str) -> str:
    """The field as people call it."""
    known = FIELDS.get(field)
    return known[language] if known is not None else f"`{field}`"


def either(parts: Sequence[str], language: str) -> str:
    """`a, b or c`; `a、b或c`."""
    return _joined(parts, "、", "或") if language == CHINESE else _joined(parts, ", ", " or ")


def both(parts: Sequence[str], language: str) -> str:
    """`a, b and c`; `a、b和c`."""
    return _joined(parts, "、", "和") if language == CHINESE else _joined(parts, ", ", " and ")


def _joined(parts: Sequence[str], comma: str, last: str) -> str:
    return comma.join(parts[:-1]) + last + parts[-1] if len(parts) > 1 else parts[0]
