"""Findings: everything that is wrong or odd in a document, collected, each with its place."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error refuses the document; a warning is shown and passes."""

    ERROR = "error"
    WARNING = "warning"


class FindingCode(StrEnum):
    """Permanent codes; docs/reference/findings.md explains each."""

    FILE_IS_UNREADABLE = "file_is_unreadable"
    FILE_IS_TOO_LARGE = "file_is_too_large"
    YAML_IS_INVALID = "yaml_is_invalid"
    YAML_IS_TOO_DEEP = "yaml_is_too_deep"
    YAML_HAS_AN_ANCHOR = "yaml_has_an_anchor"
    KEY_IS_DUPLICATE = "key_is_duplicate"
    KIND_IS_UNKNOWN = "kind_is_unknown"
    KEY_IS_UNKNOWN = "key_is_unknown"
    KEY_IS_MISSING = "key_is_missing"
    TYPE_IS_WRONG = "type_is_wrong"
    VALUE_IS_WRONG = "value_is_wrong"
    MONEY_IS_BARE = "money_is_bare"
    MONEY_IS_WRONG = "money_is_wrong"
    CURRENCY_DIFFERS = "currency_differs"
    RATE_IS_BARE = "rate_is_bare"
    RATE_IS_WRONG = "rate_is_wrong"
    INSTANT_IS_WRONG = "instant_is_wrong"
    WINDOW_IS_EMPTY = "window_is_empty"
    WINDOW_IS_PAST = "window_is_past"
    CAP_IS_MISSING = "cap_is_missing"
    LIMIT_IS_MISSING = "limit_is_missing"
    CONDITION_IS_EMPTY = "condition_is_empty"
    CONDITION_IS_EVERYONE = "condition_is_everyone"
    SHARES_ARE_NOT_WHOLE = "shares_are_not_whole"
    STAGES_ARE_WRONG = "stages_are_wrong"
    TIERS_ARE_WRONG = "tiers_are_wrong"
    BENEFIT_IS_UNSUPPORTED = "benefit_is_unsupported"
    NAME_IS_UNKNOWN = "name_is_unknown"
    ID_IS_DUPLICATE = "id_is_duplicate"
    POLICY_IS_MISSING = "policy_is_missing"
    BRIEF_IS_MISSING = "brief_is_missing"
    EXPECTATION_IS_ABSURD = "expectation_is_absurd"
    SIGNATURE_IS_WRONG = "signature_is_wrong"
    EXPRESSION_IS_TOO_LARGE = "expression_is_too_large"
    EXPRESSION_DOES_NOT_PARSE = "expression_does_not_parse"
    EXPRESSION_HAS_A_TYPE_ERROR = "expression_has_a_type_error"
    EXPRESSION_IS_UNSUPPORTED = "expression_is_unsupported"
    OPTIONAL_IS_UNGUARDED = "optional_is_unguarded"
    CAMPAIGN_IS_UNPROVED = "campaign_is_unproved"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `path` is a JSON Pointer into the document; `line` and `column` count from 1."""

    severity: Severity
    code: FindingCode
    message: str
    path: str = ""
    file: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None
