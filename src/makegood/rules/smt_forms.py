"""In which form the texts of each field are held, for all that is asked of them together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from makegood.domain.policy import Field
from makegood.rules.expression import Expression
from makegood.rules.smt_asked import asked_of_constants
from makegood.rules.smt_fields import most_characters
from makegood.rules.smt_flow import Flow
from makegood.rules.smt_names import usual_text
from makegood.rules.smt_samples import Asked, Sampled, samples


@dataclass(frozen=True, slots=True)
class Forms:
    """`fields` as the solver sees them. Those of `sampled` are declared with a few texts that stand for all others."""

    fields: Mapping[str, Field]
    flow: Flow
    sampled: Mapping[str, Sampled]


def forms_of(
    declared: Mapping[str, Field], expressions: Sequence[Expression], texts: Mapping[str, Collection[str]]
) -> Forms:
    """The forms of these fields where these expressions, and for `texts` by field, are asked."""
    flow = _flow(declared, expressions)
    dear = [name for name, each in declared.items() if each.values is None and _is_dear(name, flow)]
    if not dear:
        return Forms(declared, flow, {})
    sampled: dict[str, Sampled] = {}
    fields = dict(declared)
    for name, asked in asked_of_constants(dear, expressions, texts).items():
        stand_ins = _stand_ins(declared[name], asked)
        if stand_ins is not None:
            sampled[name] = Sampled(asked, stand_ins)
            fields[name] = replace(declared[name], values=stand_ins)
    return Forms(fields, _flow(fields, expressions) if sampled else flow, sampled)


def _flow(declared: Mapping[str, Field], expressions: Sequence[Expression]) -> Flow:
    flow = Flow({name for name, each in declared.items() if each.values is not None})
    flow.read(expressions)
    return flow


def _is_dear(name: str, flow: Flow) -> bool:
    """Whether the field would need strings of the solver, or a term for every entry."""
    return flow.has_characters(name) or name in flow.ordered


def _stand_ins(declared: Field, asked: Asked) -> tuple[str, ...] | None:
    longest = most_characters(declared)
    return samples(asked, int(declared.name.endswith("_id")), longest, usual_text(declared.name)[:longest])
