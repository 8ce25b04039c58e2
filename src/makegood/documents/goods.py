"""Which lines of a basket a benefit is for: the common conditions on `item` in words, others as the CEL text itself."""

from makegood.documents.audience import Audience, understand
from makegood.documents.words import CHINESE, both, either
from makegood.limits import MONEY_MINOR_MAX
from makegood.rules.check import check_expression
from makegood.rules.environment import item_environment

_FIELDS = {"sku": ("SKU", "SKU"), "category": ("category", "类别")}


def goods_words(where: str, language: str, count: int = 2) -> str:
    """The lines that a condition means, such as `items with category coffee`; `count` 1 gives the singular."""
    chinese = language == CHINESE
    noun = "商品" if chinese else "item" if count == 1 else "items"
    said = _listed(where, language)
    if said is None:
        text = " ".join(where.split())
        return f"满足条件`{text}`的{noun}" if chinese else f"{noun} where `{text}`"
    if not said:
        return f"任意{noun}" if chinese else noun
    return f"{'、'.join(said)}的{noun}" if chinese else f"{noun} with {both(said, language)}"


def _listed(where: str, language: str) -> list[str] | None:
    """A part for each field that the condition lists values of; None where it says anything else."""
    expression = check_expression(where, item_environment(MONEY_MINOR_MAX)).expression
    goods = understand(expression) if expression is not None else None
    if goods is None or goods != Audience(listed=goods.listed, guarded=goods.guarded, used=goods.used):
        return None
    index, yes, no = (1, "为", "不为") if language == CHINESE else (0, " ", " not ")
    return [
        f"{_FIELDS[name][index]}{yes if wanted else no}{either(values, language)}"
        for name, values, wanted in goods.listed
    ]
