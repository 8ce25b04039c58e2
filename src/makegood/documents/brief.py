"""The brief: what the budget owner agreed before the campaign was built."""

from makegood.documents.limits import missing_limit
from makegood.documents.parts import read_funding, read_texts, read_window
from makegood.documents.reading import Fields, Place, Reading
from makegood.documents.scalar import Kind
from makegood.domain.brief import Brief, Expectation, PerPayer
from makegood.domain.expectations import absurd
from makegood.domain.policy import Policy
from makegood.findings import FindingCode
from makegood.limits import GRANTS_MAX

REQUIRED = (
    "makegood", "campaign", "purpose", "label", "funding", "window", "scenes", "spend_min", "discount_max", "rate_max",
    "stages", "expect",
)  # fmt: skip
LIMITS = ("budget", "per_payer")
_EXPECTED = ("share_of_payments", "discount_mean", "spend_per_minute")


def read_brief(reading: Reading, policy: Policy | None) -> Brief | None:
    """The brief of a document, or None where a part of it could not be read or there is no policy."""
    root = reading.root()
    fields = reading.fields(root, REQUIRED, LIMITS, of="a brief")
    if fields is None:
        return None
    for key in LIMITS:
        if key not in fields:
            missing_limit(reading, root, key)
    campaign = reading.identifier(fields["campaign"]) if "campaign" in fields else None
    purpose = read_texts(reading, fields["purpose"]) if "purpose" in fields else None
    label = reading.name(fields["label"], policy.labels if policy else None, "label") if "label" in fields else None
    funding = read_funding(reading, fields["funding"], policy) if "funding" in fields else None
    window = read_window(reading, fields["window"]) if "window" in fields else None
    scenes = _scenes(reading, fields["scenes"], policy) if "scenes" in fields else None
    amounts = {key: _money(reading, fields, key) for key in ("spend_min", "discount_max", "budget")}
    rate_max = reading.rate(fields["rate_max"]) if "rate_max" in fields else None
    per_payer = _per_payer(reading, fields["per_payer"]) if "per_payer" in fields else None
    first_max = _first_max(reading, fields["stages"]) if "stages" in fields else None
    expect = _expect(reading, fields["expect"]) if "expect" in fields else None
    if reading.forbidden or policy is None:
        return None
    spend_min, discount_max, budget = (amounts[key] for key in ("spend_min", "discount_max", "budget"))
    assert campaign is not None and purpose is not None and label is not None and funding is not None
    assert window is not None and scenes is not None and rate_max is not None and per_payer is not None
    assert spend_min is not None and discount_max is not None and budget is not None
    assert first_max is not None and expect is not None
    brief = Brief(
        campaign, purpose, label, funding, window, scenes, spend_min, discount_max, rate_max, budget, per_payer,
        first_max, expect,
    )  # fmt: skip
    _check_expectations(reading, fields["expect"], brief, policy)
    return brief


def _check_expectations(reading: Reading, place: Place, brief: Brief, policy: Policy) -> None:
    """Expectations that cannot be true are refused: the detector would watch against nothing."""
    fields = reading.fields(place, _EXPECTED, of="`expect`") or {}
    for wrong in absurd(brief, policy):
        where = fields.get(wrong.path.rpartition("/")[2], place)
        reading.error(where, FindingCode.EXPECTATION_IS_ABSURD, wrong.message, wrong.hint, forbids=False)


def _money(reading: Reading, fields: Fields, key: str) -> int | None:
    return reading.money(fields[key]) if key in fields else None


def _scenes(reading: Reading, place: Place, policy: Policy | None) -> tuple[str, ...] | None:
    known = dict.fromkeys(policy.schema.fields["scene"].values or ()) if policy is not None else None
    entries = reading.entries(place, least=1)
    found: dict[str, None] = {}
    for entry in entries:
        scene = reading.name(entry, known, "scene")
        if scene in found:
            reading.error(entry, FindingCode.VALUE_IS_WRONG, f"`{scene}` is listed twice")
        elif scene is not None:
            found[scene] = None
    return tuple(found) if found and len(found) == len(entries) else None


def _per_payer(reading: Reading, place: Place) -> PerPayer | None:
    if place.node.kind is not Kind.MAPPING:
        amount = reading.money(place)
        return PerPayer(None, amount) if amount is not None else None
    fields = reading.fields(place, (), ("count", "amount"), of="`per_payer`")
    if not fields:
        message = "gives no `count` and no `amount`: that would be unlimited"
        reading.error(place, FindingCode.LIMIT_IS_MISSING, message)
        return None
    count = reading.whole(fields["count"], 0, GRANTS_MAX) if "count" in fields else None
    return PerPayer(count, _money(reading, fields, "amount"))


def _first_max(reading: Reading, place: Place) -> int | None:
    fields = reading.fields(place, ("first_max",), of="the stages of a brief")
    return _money(reading, fields, "first_max") if fields is not None else None


def _expect(reading: Reading, place: Place) -> Expectation | None:
    fields = reading.fields(place, _EXPECTED, of="`expect`")
    if fields is None:
        return None
    points = reading.rate(fields["share_of_payments"]) if "share_of_payments" in fields else None
    mean, per_minute = _money(reading, fields, "discount_mean"), _money(reading, fields, "spend_per_minute")
    if points is None or mean is None or per_minute is None:
        return None
    return Expectation(points, mean, per_minute)
