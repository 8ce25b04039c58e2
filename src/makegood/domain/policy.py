"""The policy: what a house never allows, and the schema that every payment of the house obeys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from makegood.domain.limit import Limit
from makegood.limits import ID_CHARS_MAX


class FieldType(StrEnum):
    """Types that a payment field may have; each has one meaning in every machine of the rules."""

    INT = "int"
    BOOL = "bool"
    STRING = "string"
    TIMESTAMP = "timestamp"
    STRINGS = "list(string)"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a payment with its bounds (inclusive). Strings are counted in code points."""

    name: str
    type: FieldType
    optional: bool = False
    min: int | None = None
    max: int | None = None
    values: tuple[str, ...] | None = None
    max_length: int | None = None
    max_items: int | None = None


@dataclass(frozen=True, slots=True)
class PaymentSchema:
    """The declared domain of payments: core fields and the policy's attributes, by name."""

    currency: str
    fields: Mapping[str, Field]
    items_max: int = 50
    single_scene: str | None = None
    texts: Mapping[str, tuple[frozenset[str] | None, int]] = field(init=False, compare=False, repr=False)
    required: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """What every payment is asked, by name: of a string its list and its length; and who must be there."""
        texts = {
            name: (None if one.values is None else frozenset(one.values), one.max_length or ID_CHARS_MAX)
            for name, one in self.fields.items()
            if one.type is FieldType.STRING
        }
        object.__setattr__(self, "texts", texts)
        object.__setattr__(self, "required", frozenset(name for name, one in self.fields.items() if not one.optional))

    @property
    def amount_min(self) -> int:
        """Smallest amount, minor units."""
        low = self.fields["amount"].min
        assert low is not None
        return low

    @property
    def amount_max(self) -> int:
        """Largest amount, minor units."""
        high = self.fields["amount"].max
        assert high is not None
        return high


@dataclass(frozen=True, slots=True)
class Label:
    """What payers are shown a benefit as. An owned label needs its owner's share and signature."""

    id: str
    text: Mapping[str, str]
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Funder:
    """Who pays. `keys` are Ed25519 public keys, base64."""

    id: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy rule in CEL: `always` must hold, or `never` must not, for every payment that gets a discount."""

    id: str
    expression: str
    negated: bool

    @property
    def word(self) -> str:
        """`never` or `always`, as the policy file writes it."""
        return "never" if self.negated else "always"


@dataclass(frozen=True, slots=True)
class StageBounds:
    """`first_max` minor units may open first; each next stage is at most `growth_max` times the one before."""

    first_max: int
    growth_max: int


@dataclass(frozen=True, slots=True)
class WorstBounds:
    """Largest loss the house accepts, minor units, per second at the declared peak and in total."""

    per_second: int
    total: int


@dataclass(frozen=True, slots=True)
class ApprovalTier:
    """Campaigns whose worst total loss is at most `up_to` (None: any) need `approvers` approvals."""

    up_to: int | None
    approvers: int


@dataclass(frozen=True, slots=True)
class SharedLimit:
    """A limit on all campaigns with one of some labels together; `labels` None: on all campaigns.

    Its counters belong to its id, as a campaign's own belong to the campaign's.
    """

    id: str
    limit: Limit
    labels: tuple[str, ...] | None = None

    def covers(self, label: str) -> bool:
        """Whether campaigns with that label count against it."""
        return self.labels is None or label in self.labels


@dataclass(frozen=True, slots=True)
class Policy:
    """One house's policy for one currency. `limits` are those across campaigns."""

    id: str
    currency: str
    timezone: str
    schema: PaymentSchema
    payments_per_second: int
    labels: Mapping[str, Label]
    funders: Mapping[str, Funder]
    rules: tuple[Rule, ...]
    stages: StageBounds
    worst: WorstBounds
    approvals: tuple[ApprovalTier, ...]
    limits: tuple[SharedLimit, ...] = ()

    def limits_on(self, label: str) -> tuple[SharedLimit, ...]:
        """The limits across campaigns that campaigns with that label count against."""
        return tuple(shared for shared in self.limits if shared.covers(label))

    def approvers_for(self, worst_total: int) -> int:
        """How many approvals a campaign with that worst total loss needs."""
        for tier in self.approvals:
            if tier.up_to is None or worst_total <= tier.up_to:
                return tier.approvers
        return self.approvals[-1].approvers


# Fields that every payment has, before the policy's own attributes. The last five are optional.
CORE_FIELDS: tuple[Field, ...] = (
    Field("payment_id", FieldType.STRING),
    Field("occurred_at", FieldType.TIMESTAMP),
    Field("payer_id", FieldType.STRING, optional=True),
    Field("payee_id", FieldType.STRING),
    Field("amount", FieldType.INT),
    Field("currency", FieldType.STRING),
    Field("scene", FieldType.STRING),
    Field("channel", FieldType.STRING),
    Field("instrument", FieldType.STRING),
    Field("merchant_category", FieldType.STRING, optional=True),
    Field("device_id", FieldType.STRING, optional=True),
    Field("referrer_id", FieldType.STRING, optional=True),
    Field("codes", FieldType.STRINGS, optional=True),
)
CORE_FIELD_NAMES = frozenset(field.name for field in CORE_FIELDS) | {"items"}
