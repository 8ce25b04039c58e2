"""The two discounts that a whole payment or some lines of it may get: a share, or a fixed amount."""

from makegood.documents.reading import Fields, Place, Reading
from makegood.domain.benefit import AmountOff, PercentOff
from makegood.findings import FindingCode


def read_percent_off(reading: Reading, place: Place) -> PercentOff | None:
    """A share with its cap."""
    fields = reading.fields(place, ("rate",), ("up_to",), of="`percent_off`")
    if fields is None:
        return None
    rate = reading.rate(fields["rate"]) if "rate" in fields else None
    up_to = read_cap(reading, place, fields)
    return PercentOff(rate, up_to) if rate is not None and up_to is not None else None


def read_cap(reading: Reading, place: Place, fields: Fields) -> int | None:
    """`up_to`, the most that one payment may get, minor units; a cap that is not there is an error of its own."""
    if "up_to" in fields:
        return reading.money(fields["up_to"])
    example = f'write `up_to: "50.00 {reading.currency or "CNY"}"`, the most that one payment may get'
    reading.missing(place, "up_to", FindingCode.CAP_IS_MISSING, example)
    return None


def read_amount_off(reading: Reading, place: Place) -> AmountOff | None:
    """A fixed amount."""
    fields = reading.fields(place, ("amount",), of="`amount_off`")
    amount = reading.money(fields["amount"]) if fields is not None and "amount" in fields else None
    return AmountOff(amount) if amount is not None else None
