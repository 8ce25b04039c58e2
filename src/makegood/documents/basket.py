"""Item-level benefits: for some lines of a basket, which a condition on `item` chooses."""

from makegood.documents.condition import read_expression
from makegood.documents.off import read_amount_off, read_cap, read_percent_off
from makegood.documents.reading import Fields, Place, Reading
from makegood.domain.benefit import BuyXGetY, FreeItem, ItemsOff, Units
from makegood.findings import FindingCode
from makegood.limits import DEAL_UNITS_MAX
from makegood.rules.environment import Environment


def read_items(reading: Reading, place: Place, line: Environment | None) -> ItemsOff | None:
    """A share or an amount off the lines that match."""
    fields = reading.fields(place, ("where",), ("percent_off", "amount_off"), of="`items`")
    if fields is None:
        return None
    where = _where(reading, fields, line)
    found = [name for name in ("percent_off", "amount_off") if name in fields]
    if len(found) != 1:
        code = FindingCode.VALUE_IS_WRONG if found else FindingCode.KEY_IS_MISSING
        reading.error(place, code, "must say either `percent_off` or `amount_off`, one of the two")
        return None
    read = read_percent_off if found == ["percent_off"] else read_amount_off
    off = read(reading, fields[found[0]])
    return ItemsOff(where, off) if where is not None and off is not None else None


def read_buy_x_get_y(reading: Reading, place: Place, line: Environment | None) -> BuyXGetY | None:
    """So many units at a lower price for so many others."""
    fields = reading.fields(place, ("buy", "get"), ("up_to",), of="`buy_x_get_y`")
    if fields is None:
        return None
    up_to = read_cap(reading, place, fields)
    bought = reading.fields(fields["buy"], ("where", "count"), of="`buy`") if "buy" in fields else None
    got = reading.fields(fields["get"], ("where", "count", "rate"), of="`get`") if "get" in fields else None
    if bought is None or got is None:
        return None
    buy, get = _units(reading, bought, line), _units(reading, got, line)
    rate = reading.rate(got["rate"]) if "rate" in got else None
    if buy is None or get is None or rate is None or up_to is None:
        return None
    return BuyXGetY(buy, get, rate, up_to)


def read_free_item(reading: Reading, place: Place, line: Environment | None) -> FreeItem | None:
    """The cheapest unit of the lines that match."""
    fields = reading.fields(place, ("where",), ("up_to",), of="`free_item`")
    if fields is None:
        return None
    where, up_to = _where(reading, fields, line), read_cap(reading, place, fields)
    return FreeItem(where, up_to) if where is not None and up_to is not None else None


def _units(reading: Reading, fields: Fields, line: Environment | None) -> Units | None:
    where = _where(reading, fields, line)
    count = reading.whole(fields["count"], 1, DEAL_UNITS_MAX) if "count" in fields else None
    return Units(where, count) if where is not None and count is not None else None


def _where(reading: Reading, fields: Fields, line: Environment | None) -> str | None:
    return read_expression(reading, fields["where"], line) if "where" in fields else None
