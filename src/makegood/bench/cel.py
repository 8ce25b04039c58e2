"""Two CEL runtimes on the campaigns of the shape: `common-expression-language` and the official `cel-expr-python`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from makegood.bench.contest import Answer, Form, Library
from makegood.bench.shape import Shaped
from makegood.bench.texts import Language, Offers, each, flat, nested

Evaluate = Callable[[Any], Any]

_LANGUAGE = Language(
    all_of=" && ",
    negated="!",
    nothing="[0]",
    best_of=lambda numbers: f"[{', '.join(numbers)}]",
    percent=lambda rate, cap: f"(amount * {rate} / 10000 < {cap} ? amount * {rate} / 10000 : {cap})",
)
_SHALLOW = replace(_LANGUAGE, is_shallow=True)  # The official runtime refuses more than 32 levels.
_PART = 200  # Campaigns in one expression: the official runtime takes no more than 100,000 characters.


def _forms_with(
    compiler: Callable[[str], Evaluate], campaigns: Sequence[Shaped], offers: Offers, language: Language
) -> Iterator[Form]:
    parts = [campaigns[start : start + _PART] for start in range(0, len(campaigns), _PART)]
    programs = [compiler(text) for text in each(campaigns, offers, language)]
    yield Form("a program a campaign", _best_of_programs(programs))
    yield Form("one program", _best_of_lists([compiler(flat(part, offers, language)) for part in parts]))
    inside = [compiler(nested(part, offers, language)) for part in parts]
    yield Form("one program nested by channel and city", _best_of_lists(inside))


def _best_of_programs(programs: Sequence[Evaluate]) -> Answer:
    return lambda payments: [max([program(payment) for program in programs]) for payment in payments]


def _best_of_lists(programs: Sequence[Evaluate]) -> Answer:
    return lambda payments: [max([max(program(payment)) for program in programs]) for payment in payments]


def _common(campaigns: Sequence[Shaped], offers: Offers) -> Iterator[Form]:
    import cel

    def compiler(text: str) -> Evaluate:
        evaluate: Evaluate = cel.compile(text).execute
        return evaluate

    return _forms_with(compiler, campaigns, offers, _LANGUAGE)


def _official(campaigns: Sequence[Shaped], offers: Offers) -> Iterator[Form]:
    from cel_expr_python import cel

    types = {"amount": cel.Type.INT, "channel": cel.Type.STRING, "city": cel.Type.STRING, "payer_is_new": cel.Type.BOOL}
    environment = cel.NewEnv(variables=types)

    def compiler(text: str) -> Evaluate:
        evaluate = environment.compile(text).eval
        return lambda payment: evaluate(data=payment).plain_value()

    return _forms_with(compiler, campaigns, offers, _SHALLOW)


COMMON_CEL = Library("common-expression-language", "cel", _common)
OFFICIAL_CEL = Library("cel-expr-python", "cel_expr_python", _official)
