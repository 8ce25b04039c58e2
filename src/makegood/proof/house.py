"""The rules of a policy over everything that is live: every set of campaigns that one payment may be granted."""

from collections.abc import Iterator, Sequence

import z3

from makegood.clock import Instant
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Policy
from makegood.proof.basket import lines_of
from makegood.proof.case import fields_of, hinted, smallest, witness_of
from makegood.proof.effort import Effort
from makegood.proof.inside_policy import rule_obligation
from makegood.proof.offer import offer_of
from makegood.proof.portfolio import together, violation
from makegood.proof.solver import Solver, value_of
from makegood.proof.texts import conditions_of, rules_of, texts_of
from makegood.proof.verdict import Row, Verdict
from makegood.rules.smt import symbolic_payment


def prove_live(policy: Policy, live: Sequence[Campaign], effort: Effort) -> Iterator[Row]:
    """One row a rule. With nothing live there is nothing to ask, and no row."""
    if not live:
        return
    ends = effort.clock() + effort.total_ms * 1_000_000
    rules, conditions = rules_of(policy), conditions_of(live, policy)
    context = z3.Context()
    expressions = [*conditions.values(), *(text.expression for text in rules)]
    opens, closes = min(each.window.opens for each in live), max(each.window.closes for each in live)
    moments = (Instant(opens), Instant(closes))
    payment = symbolic_payment(policy.schema, expressions, context=context, moments=moments, texts=texts_of(live))
    lines = lines_of({each.id: each.benefit for each in live}, policy, effort, ends)
    matching = {name: each.matching_max() for name, each in lines.items()}
    offers = [offer_of(each, conditions[each.id], payment, matching.get(each.id, 0)) for each in live]
    portfolio = together(offers, conditions, payment.amount)
    solver = hinted(Solver(context, (*payment.domain, *portfolio.allowed), effort, ends), portfolio)
    for text in rules:
        began = effort.clock()
        obligation = rule_obligation(text, violation(text, portfolio, payment))
        answer, witness = solver.ask(obligation.grant), None
        if answer.model is not None:
            model = smallest(solver, answer.model, payment, portfolio.members, (obligation.grant,))
            parts = {
                member.offer.campaign.id: value_of(model, member.offer.discount)
                for member in portfolio.members
                if z3.is_true(model.eval(member.chosen, model_completion=True))
            }
            first = next(iter(parts))
            reads = fields_of(conditions[first])
            witness = witness_of(payment.read(model), first, parts, reads, policy, obligation.clause)
        question, ms = solver.question(obligation.grant), (effort.clock() - began) / 1e6
        path = obligation.path if answer.verdict is not Verdict.PROVED else ""
        hint = obligation.hint if answer.verdict is not Verdict.PROVED else None
        yield Row(obligation.name, answer.verdict, ms, question, witness, path, hint)
