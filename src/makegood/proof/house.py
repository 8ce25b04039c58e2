"""The rules of a policy over everything that is live: every set of campaigns that one payment may be granted."""

from collections.abc import Iterator, Sequence

import z3

from makegood.clock import Instant
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Policy
from makegood.proof.basket import NO_LINES, lines_of
from makegood.proof.case import fields_of, hinted, seen_in, smallest, witness_of
from makegood.proof.effort import Effort
from makegood.proof.inside_policy import rule_obligation
from makegood.proof.obligations import answered
from makegood.proof.offer import offer_of
from makegood.proof.portfolio import together, violation
from makegood.proof.solver import Solver
from makegood.proof.texts import conditions_of, rules_of, texts_of
from makegood.proof.verdict import Row
from makegood.rules.smt import symbolic_payment


def prove_live(policy: Policy, live: Sequence[Campaign], effort: Effort) -> Iterator[Row]:
    """One row a rule. With nothing live there is nothing to ask, and no row."""
    if not live:
        return
    deadline = effort.deadline()
    rules, conditions = rules_of(policy), conditions_of(live, policy)
    context = z3.Context()
    expressions = [*conditions.values(), *(text.expression for text in rules)]
    opens, closes = min(each.window.opens for each in live), max(each.window.closes for each in live)
    moments = (Instant(opens), Instant(closes))
    payment = symbolic_payment(policy.schema, expressions, context=context, moments=moments, texts=texts_of(live))
    lines = lines_of({each.id: each.benefit for each in live}, policy, deadline)
    reaches = {name: each.reach() for name, each in lines.items()}
    offers = [offer_of(each, conditions[each.id], payment, reaches.get(each.id, NO_LINES)) for each in live]
    portfolio = together(offers, conditions, payment.amount)
    solver = hinted(Solver(context, (*payment.domain, *portfolio.allowed), deadline), portfolio)
    for text in rules:
        began = effort.clock()
        obligation = rule_obligation(text, violation(text, portfolio, payment, deadline))
        answer, witness = solver.ask(obligation.grant), None
        if answer.model is not None:
            model = smallest(solver, answer.model, payment, portfolio.members, (obligation.grant,))
            found, parts = seen_in(model, payment, portfolio.members, lines)
            first = next(iter(parts))
            witness = witness_of(found, first, parts, fields_of(conditions[first]), policy, obligation.clause)
        question, ms = solver.question(obligation.grant), (effort.clock() - began) / 1e6
        yield answered(obligation, answer.verdict, ms, question, witness)
