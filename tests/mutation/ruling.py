"""The rules of a policy as questions about one payment and the set that it is granted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tests.mutation.constants import Constants, checked, constants_of
from tests.mutation.granting import Fields

from makegood.documents.policy import RULE_VARIABLES
from makegood.domain.campaign import Campaign
from makegood.domain.policy import PaymentSchema, Policy, Rule
from makegood.rules.environment import payment_environment
from makegood.rules.evaluate import EvaluationError, compile_expression
from makegood.rules.expression import Expression, Variable, walk


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule. `asks_whose` where it reads the label or the funder."""

    name: str
    wanted: bool
    value: Callable[..., Any]
    asks_whose: bool
    constants: Constants
    expression: Expression

    def is_broken(self, fields: Fields, members: Sequence[Campaign], draw: Sequence[int]) -> bool:
        """Whether it fails for any member and any of its funders; an error is a failure."""
        total = sum(draw)
        for campaign, discount in zip(members, draw, strict=True):
            funders = campaign.funding if self.asks_whose else campaign.funding[:1]
            for share in funders:
                if not self._is_kept(fields, discount, total, campaign.label, share.funder):
                    return True
        return False

    def _is_kept(self, fields: Fields, *variables: Any) -> bool:
        try:
            return self.value(fields, *variables) is self.wanted
        except EvaluationError:
            return False


def rulings(policy: Policy) -> tuple[Ruling, ...]:
    """The rules of a policy, compiled."""
    return tuple(_ruling(rule, _Schema(policy.schema)) for rule in policy.rules)


@dataclass(frozen=True, eq=False)
class _Schema:
    """A schema as a key: it is equal to itself only."""

    schema: PaymentSchema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Schema) and other.schema is self.schema


@lru_cache(maxsize=500)
def _ruling(rule: Rule, key: _Schema) -> Ruling:
    expression = checked(rule.expression, payment_environment(key.schema, RULE_VARIABLES))
    variables = {node.name for node in walk(expression) if isinstance(node, Variable)}
    return Ruling(
        f"inside_policy.{rule.id}", not rule.negated,
        compile_expression(expression, ("payment", "discount", "total", "label", "funder")),
        bool(variables & {"label", "funder"}), constants_of([expression]), expression,
    )  # fmt: skip
