"""Parts that briefs and campaigns have in common: texts in two languages, funding, window."""

from makegood.clock import Instant
from makegood.documents.reading import Place, Reading
from makegood.domain.brief import Share, Window
from makegood.domain.policy import Policy
from makegood.findings import FindingCode
from makegood.limits import FUNDERS_PER_CAMPAIGN_MAX
from makegood.money import BASIS_POINTS, format_rate

LANGUAGES = ("zh-CN", "en")


def read_texts(reading: Reading, place: Place) -> dict[str, str] | None:
    """A text in every language of the product."""
    fields = reading.fields(place, LANGUAGES, of="a text in two languages")
    if fields is None:
        return None
    texts = {language: reading.text(fields[language]) for language in LANGUAGES if language in fields}
    found = {language: text for language, text in texts.items() if text is not None}
    return found if len(found) == len(LANGUAGES) else None


def read_funding(reading: Reading, place: Place, policy: Policy | None) -> tuple[Share, ...] | None:
    """Who pays which share; the shares are exactly 100 %."""
    shares = [
        _read_share(reading, entry, policy) for entry in reading.entries(place, FUNDERS_PER_CAMPAIGN_MAX, least=1)
    ]
    found = tuple(share for share in shares if share is not None)
    if not found or len(found) < len(shares):
        return None
    twice = {share.funder for share in found if [one.funder for one in found].count(share.funder) > 1}
    for funder in sorted(twice):
        reading.error(place, FindingCode.VALUE_IS_WRONG, f"`{funder}` is listed twice", "add its shares up")
    total = sum(share.basis_points for share in found)
    if total != BASIS_POINTS:
        message = f"the shares add up to {format_rate(total)}, not 100%"
        reading.error(place, FindingCode.SHARES_ARE_NOT_WHOLE, message)
        return None
    return found


def _read_share(reading: Reading, place: Place, policy: Policy | None) -> Share | None:
    fields = reading.fields(place, ("funder", "share"), of="a share")
    if fields is None:
        return None
    funders = policy.funders if policy is not None else None
    funder = reading.name(fields["funder"], funders, "funder") if "funder" in fields else None
    points = reading.rate(fields["share"]) if "share" in fields else None
    return Share(funder, points) if funder is not None and points is not None else None


def read_window(reading: Reading, place: Place) -> Window | None:
    """From `from` (inclusive) until `until` (exclusive); one that is over gives a warning."""
    fields = reading.fields(place, ("from", "until"), of="a window")
    if fields is None:
        return None
    opens = reading.instant(fields["from"]) if "from" in fields else None
    closes = reading.instant(fields["until"]) if "until" in fields else None
    if opens is None or closes is None:
        return None
    if closes <= opens:
        word = "empty" if closes == opens else "inverted"
        reading.error(
            fields["until"], FindingCode.WINDOW_IS_EMPTY, f"the window is {word}: it must end after it begins"
        )
        return None
    if closes <= reading.now:
        reading.warning(fields["until"], FindingCode.WINDOW_IS_PAST, _since(closes))
    return Window(opens, closes)


def _since(closes: Instant) -> str:
    return f"the window has been over since {closes.text()}"
