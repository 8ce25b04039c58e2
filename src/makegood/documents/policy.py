"""The policy: the schema of payments, labels, funders, rules and bounds of a house."""

import base64
import binascii
from collections.abc import Mapping

from makegood.clock import time_zone
from makegood.documents.condition import read_expression
from makegood.documents.limits import read_shared_limits
from makegood.documents.parts import read_texts
from makegood.documents.reading import Fields, Place, Reading
from makegood.documents.schema import read_schema
from makegood.domain.policy import ApprovalTier, Funder, Label, PaymentSchema, Policy, Rule, StageBounds, WorstBounds
from makegood.findings import FindingCode
from makegood.limits import APPROVERS_MAX, GROWTH_MAX, LIST_ENTRIES_MAX, PAYMENTS_PER_SECOND_MAX
from makegood.money import currency_digits
from makegood.rules.environment import Environment, payment_environment
from makegood.rules.types import INT, STRING, CelType

REQUIRED = (
    "makegood", "id", "currency", "timezone", "payment", "peak", "labels", "funders", "rules", "stages", "worst",
    "approvals",
)  # fmt: skip
OPTIONAL = ("limits",)
ED25519_KEY_BYTES = 32
RULE_VARIABLES: Mapping[str, CelType] = {"discount": INT, "total": INT, "label": STRING, "funder": STRING}


def read_policy(reading: Reading) -> Policy | None:
    """The policy of a document, or None where a part of it could not be read."""
    fields = reading.fields(reading.root(), REQUIRED, OPTIONAL, of="a policy")
    if fields is None:
        return None
    reading.currency = _currency(reading, fields)
    identifier = reading.identifier(fields["id"]) if "id" in fields else None
    zone = _timezone(reading, fields["timezone"]) if "timezone" in fields else None
    schema = read_schema(reading, fields["payment"], reading.currency) if "payment" in fields else None
    funders = _funders(reading, fields["funders"]) if "funders" in fields else {}
    labels = _labels(reading, fields["labels"], funders) if "labels" in fields else {}
    rules = _rules(reading, fields["rules"], schema) if "rules" in fields else ()
    peak = _peak(reading, fields["peak"]) if "peak" in fields else None
    stages = _stages(reading, fields["stages"]) if "stages" in fields else None
    worst = _worst(reading, fields["worst"]) if "worst" in fields else None
    approvals = _approvals(reading, fields["approvals"]) if "approvals" in fields else ()
    known = labels if "labels" in fields else None
    limits = read_shared_limits(reading, fields["limits"], known) if "limits" in fields else ()
    if reading.forbidden or identifier is None or zone is None or schema is None or reading.currency is None:
        return None
    if peak is None or stages is None or worst is None:
        return None
    return Policy(
        identifier, reading.currency, zone, schema, peak, labels, funders, rules, stages, worst, approvals, limits
    )  # fmt: skip


def _currency(reading: Reading, fields: Fields) -> str | None:
    if "currency" not in fields:
        return None
    text = reading.text(fields["currency"])
    if text is None:
        return None
    try:
        currency_digits(text)
    except ValueError as error:
        reading.error(fields["currency"], FindingCode.VALUE_IS_WRONG, str(error), "use its code, such as `CNY`")
        return None
    return text


def _timezone(reading: Reading, place: Place) -> str | None:
    text = reading.text(place)
    if text is None:
        return None
    try:
        time_zone(text)
    except ValueError as error:
        reading.error(place, FindingCode.VALUE_IS_WRONG, str(error), "use a name such as `Asia/Shanghai`")
        return None
    return text


def _funders(reading: Reading, place: Place) -> dict[str, Funder]:
    found = {}
    for identifier, entry in reading.named(place).items():
        fields = reading.fields(entry, ("keys",), of="a funder")
        if fields is not None and "keys" in fields:
            keys = [public_key(reading, key) for key in reading.entries(fields["keys"])]
            found[identifier] = Funder(identifier, tuple(key for key in keys if key is not None))
    return found


def public_key(reading: Reading, place: Place) -> str | None:
    """An Ed25519 public key in base64."""
    text = reading.text(place)
    if text is None:
        return None
    if length_of_base64(text) == ED25519_KEY_BYTES:
        return text
    reading.error(place, FindingCode.VALUE_IS_WRONG, "is not an Ed25519 public key: 32 bytes in base64")
    return None


def length_of_base64(text: str) -> int | None:
    """How many bytes a base64 text holds; None where it is not the one right spelling of any."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return len(data) if base64.b64encode(data).decode() == text else None


def _labels(reading: Reading, place: Place, funders: dict[str, Funder]) -> dict[str, Label]:
    found = {}
    for identifier, entry in reading.named(place).items():
        fields = reading.fields(entry, ("text",), ("owner",), of="a label")
        if fields is None or "text" not in fields:
            continue
        text = read_texts(reading, fields["text"])
        owner = reading.name(fields["owner"], funders, "funder") if "owner" in fields else None
        if text is not None:
            found[identifier] = Label(identifier, text, owner)
    return found


def _rules(reading: Reading, place: Place, schema: PaymentSchema | None) -> tuple[Rule, ...]:
    environment = payment_environment(schema, RULE_VARIABLES) if schema is not None else None
    rules: dict[str, Rule] = {}
    for entry in reading.entries(place):
        fields = reading.fields(entry, ("id",), ("never", "always"), of="a rule")
        rule = _rule(reading, entry, fields, environment) if fields is not None else None
        if rule is None:
            continue
        if rule.id in rules:
            reading.error(entry, FindingCode.ID_IS_DUPLICATE, f"another rule has the id `{rule.id}`")
        rules[rule.id] = rule
    return tuple(rules.values())


def _rule(reading: Reading, place: Place, fields: Fields, environment: Environment | None) -> Rule | None:
    words = [word for word in ("never", "always") if word in fields]
    if len(words) != 1:
        message = "must say either `never` or `always`, one of the two"
        reading.error(place, FindingCode.KEY_IS_MISSING if not words else FindingCode.VALUE_IS_WRONG, message)
        return None
    identifier = reading.identifier(fields["id"]) if "id" in fields else None
    text = read_expression(reading, fields[words[0]], environment)
    if identifier is None or text is None:
        return None
    return Rule(identifier, text, negated=words[0] == "never")


def _peak(reading: Reading, place: Place) -> int | None:
    fields = reading.fields(place, ("payments_per_second",), of="a peak")
    if fields is None or "payments_per_second" not in fields:
        return None
    return reading.whole(fields["payments_per_second"], 1, PAYMENTS_PER_SECOND_MAX)


def _stages(reading: Reading, place: Place) -> StageBounds | None:
    fields = reading.fields(place, ("first_max", "growth_max"), of="the bounds of stages")
    if fields is None:
        return None
    first = reading.money(fields["first_max"]) if "first_max" in fields else None
    growth = reading.whole(fields["growth_max"], 2, GROWTH_MAX) if "growth_max" in fields else None
    return StageBounds(first, growth) if first is not None and growth is not None else None


def _worst(reading: Reading, place: Place) -> WorstBounds | None:
    fields = reading.fields(place, ("per_second", "total"), of="the bounds of the worst loss")
    if fields is None:
        return None
    per_second = reading.money(fields["per_second"]) if "per_second" in fields else None
    total = reading.money(fields["total"]) if "total" in fields else None
    return WorstBounds(per_second, total) if per_second is not None and total is not None else None


def _approvals(reading: Reading, place: Place) -> tuple[ApprovalTier, ...]:
    entries = reading.entries(place, least=1, most=LIST_ENTRIES_MAX)
    tiers: list[ApprovalTier] = []
    for entry in entries:
        fields = reading.fields(entry, ("approvers",), ("up_to",), of="an approval")
        if fields is None or "approvers" not in fields:
            continue
        approvers = reading.whole(fields["approvers"], 1, APPROVERS_MAX)
        up_to = reading.money(fields["up_to"]) if "up_to" in fields else None
        _check_order(reading, entry, tiers, up_to, last=entry is entries[-1], bounded="up_to" in fields)
        if approvers is not None:
            tiers.append(ApprovalTier(up_to, approvers))
    return tuple(tiers)


def _check_order(
    reading: Reading, place: Place, tiers: list[ApprovalTier], up_to: int | None, *, last: bool, bounded: bool
) -> None:
    if last and bounded:
        message = "the last entry has no `up_to`, so that every worst loss has its number of approvers"
        reading.error(place, FindingCode.TIERS_ARE_WRONG, message)
    elif not last and not bounded:
        reading.error(place, FindingCode.KEY_IS_MISSING, "`up_to` is missing; only the last entry goes without")
    before = tiers[-1].up_to if tiers else None
    if up_to is not None and before is not None and up_to <= before:
        reading.error(place, FindingCode.TIERS_ARE_WRONG, "`up_to` must be larger than in the entry before")
