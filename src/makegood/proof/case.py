"""One campaign before the solver: its terms, its questions, and the smallest payment for each that is refuted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import z3

from makegood.clock import Instant
from makegood.domain.brief import Brief
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Policy
from makegood.proof.basket import NO_LINES, Lines, lines_of
from makegood.proof.effort import Effort
from makegood.proof.inside_policy import rule_obligation
from makegood.proof.obligations import UNDECIDED, Clause, Facts, Obligation, answered
from makegood.proof.offer import Offer, offer_of
from makegood.proof.portfolio import Member, Portfolio, may_meet, may_stand_beside, together, violation
from makegood.proof.solver import Answer, Solver, fact_as_question, value_of
from makegood.proof.texts import RuleText, conditions_of, rules_of, texts_of
from makegood.proof.verdict import Row, Verdict, Witness
from makegood.proof.words import Sight, sentence, words
from makegood.rules.expression import Expression, Field, walk
from makegood.rules.smt import SymbolicPayment, symbolic_payment

_NAMED_ANYWAY = ("amount", "scene")


class Case:
    """A campaign, its brief, its policy, and the live campaigns that it may meet in one payment."""

    def __init__(
        self, campaign: Campaign, brief: Brief | None, policy: Policy, live: Iterable[Campaign], effort: Effort
    ) -> None:
        self.campaign, self.policy, self.effort = campaign, policy, effort
        self.deadline = effort.deadline()
        self.rules: Sequence[RuleText] = rules_of(policy)
        beside = may_stand_beside(campaign, (other for other in live if other.id != campaign.id))
        self.conditions = conditions_of((campaign, *beside), policy)
        others = may_meet(campaign, beside, self.conditions, policy)
        self.context = z3.Context()
        self.facts = Facts(self.context)
        self.payment = _payment((campaign, *others), self.conditions, self.rules, policy, brief, self.context)
        self._lines = lines_of({each.id: each.benefit for each in (campaign, *others)}, policy, self.deadline)
        self.offer, *self._others = [self._offer(each) for each in (campaign, *others)]
        self.alone = self._solver((self.offer.granted,))
        self._granted: Answer | None = None

    def _offer(self, campaign: Campaign) -> Offer:
        self.deadline.check()
        lines = self._lines.get(campaign.id)
        reach = lines.reach() if lines is not None else NO_LINES
        return offer_of(campaign, self.conditions[campaign.id], self.payment, reach)

    def _solver(self, assumed: Iterable[Any]) -> Solver:
        return Solver(self.context, (*self.payment.domain, *assumed), self.deadline)

    @property
    def beside(self) -> Portfolio | None:
        """Every set that holds the campaign; None where no other can be in one."""
        return together(self._others, self.conditions, self.payment.amount, self.offer) if self._others else None

    def granted(self) -> Answer:
        """Whether any payment is granted the campaign; asked once."""
        if self._granted is None:
            self._granted = self.alone.ask()
        return self._granted

    def broken(self, text: RuleText, portfolio: Portfolio) -> Obligation:
        """That a rule is kept by every set of the portfolio."""
        return rule_obligation(text, violation(text, portfolio, self.payment, self.deadline))

    # -- rows ------------------------------------------------------------------------------------------

    def row(self, obligation: Obligation) -> Row:
        """The answer to an obligation about this campaign alone."""
        began = self.effort.clock()
        if obligation.fact is not None and not z3.is_false(z3.simplify(obligation.fact)):
            near = self.witness(self.granted().model, (), obligation.clause)
            return self._made(obligation, Verdict.REFUTED, began, fact_as_question(self.context, obligation.fact), near)
        if obligation.grant is None:
            return self._made(obligation, Verdict.PROVED, began, fact_as_question(self.context, obligation.fact), None)
        answer = self.alone.ask(obligation.grant)
        witness = self.witness(answer.model, (obligation.grant,), obligation.clause) if answer.model else None
        return self._made(obligation, answer.verdict, began, self.alone.question(obligation.grant), witness)

    def row_together(self, obligation: Obligation, portfolio: Portfolio, solver: Solver) -> Row:
        """The answer to an obligation about every set that holds the campaign."""
        began = self.effort.clock()
        answer = solver.ask(obligation.grant)
        witness = None
        if answer.model is not None:
            model = smallest(solver, answer.model, self.payment, portfolio.members, (obligation.grant,))
            witness = self._witness_of(model, portfolio.members, obligation.clause)
        return self._made(obligation, answer.verdict, began, solver.question(obligation.grant), witness)

    def solver_of(self, portfolio: Portfolio) -> Solver:
        """A solver that assumes a set that can be granted, and the hints that it has proved itself."""
        return hinted(self._solver(portfolio.allowed), portfolio)

    def applies(self, clause: Clause) -> Row:
        """`can_ever_apply`: here an answer is what is hoped for."""
        began = self.effort.clock()
        turned = {Verdict.REFUTED: Verdict.PROVED, Verdict.PROVED: Verdict.REFUTED}
        verdict = turned.get(self.granted().verdict, Verdict.UNKNOWN)
        witness = self.witness(None, (), clause) if verdict is Verdict.REFUTED else None
        hint = words("widen the condition, the window or the limits", "放宽条件、活动时段或限制") if witness else None
        if verdict is Verdict.UNKNOWN:
            hint = UNDECIDED
        ms = (self.effort.clock() - began) / 1e6
        return Row("can_ever_apply", verdict, ms, self.alone.question(), witness, "/when", hint, proved_if="sat")

    def _made(
        self, obligation: Obligation, verdict: Verdict, began: int, question: str, witness: Witness | None
    ) -> Row:
        return answered(obligation, verdict, (self.effort.clock() - began) / 1e6, question, witness)

    # -- witnesses -------------------------------------------------------------------------------------

    def witness(self, model: Any, bad: Sequence[Any], clause: Clause) -> Witness:
        """The smallest payment of which `bad` is true; where nothing is granted, one that comes near it."""
        if model is None:
            return self._nothing(clause)
        model = smallest(self.alone, model, self.payment, _only(self.offer), bad)
        return self._witness_of(model, _only(self.offer), clause)

    def _nothing(self, clause: Clause) -> Witness:
        """The smallest payment that meets the condition, or else the smallest of all; it gets nothing."""
        solver = self._solver(())
        meets = self.payment.holds(self.conditions[self.campaign.id])
        for bad in ((meets,), ()):
            answer = solver.ask(*bad)
            if answer.model is not None:
                model = smallest(solver, answer.model, self.payment, (), bad)
                return self._witness_of(model, (), clause)
        return self._sighted({"amount": self.policy.schema.amount_min}, {}, clause)

    def _witness_of(self, model: Any, members: Sequence[Member], clause: Clause) -> Witness:
        payment, parts = seen_in(model, self.payment, members, self._lines)
        is_bound = not self._lines.keys().isdisjoint(parts) and "items" not in payment
        return self._sighted(payment, parts, clause, is_bound=is_bound)

    def _sighted(
        self, payment: Mapping[str, Any], parts: Mapping[str, int], clause: Clause, *, is_bound: bool = False
    ) -> Witness:
        reads = fields_of(self.conditions[self.campaign.id])
        return witness_of(payment, self.campaign.id, parts, reads, self.policy, clause, is_bound=is_bound)


def witness_of(
    payment: Mapping[str, Any],
    campaign: str,
    parts: Mapping[str, int],
    reads: Sequence[str],
    policy: Policy,
    clause: Clause,
    *,
    is_bound: bool = False,
) -> Witness:
    """A witness from what a payment is granted, `parts` by campaign id."""
    others = {name: discount for name, discount in parts.items() if name != campaign}
    discount = parts.get(campaign, 0)
    sight = Sight(payment, discount, others, policy.currency, policy.timezone, reads, is_bound)
    return Witness(payment, discount, sentence(sight, clause(sight)), sight.total, others)


def seen_in(
    model: Any, payment: SymbolicPayment, members: Sequence[Member], lines: Mapping[str, Lines]
) -> tuple[dict[str, Any], dict[str, int]]:
    """The payment of a model, with a basket where one is asked for, and what it is granted by campaign id."""
    parts = {
        member.offer.campaign.id: value_of(model, member.offer.discount)
        for member in members
        if z3.is_true(model.eval(member.chosen, model_completion=True))
    }
    found = payment.read(model)
    of_items = next((name for name in parts if name in lines), None)
    if of_items is not None:
        basket = lines[of_items].basket(found["amount"], parts[of_items])
        found |= {"items": basket} if basket is not None else {}
    return found, parts


def smallest(
    solver: Solver, found: Any, payment: SymbolicPayment, members: Sequence[Member], bad: Sequence[Any]
) -> Any:
    """A model of `bad` with the smallest amount, the fewest other campaigns, and the fewest unusual attributes."""
    found = solver.smallest(found, payment.amount, 0, *bad)
    amount = payment.amount == value_of(found, payment.amount)
    fewest = [z3.Not(member.chosen) for member in members if not z3.is_true(member.chosen)]
    moments = [payment.occurred_at == int(member.offer.campaign.window.opens) for member in members[:1]]
    largest = [z3.Implies(member.chosen, member.offer.discount == member.offer.most) for member in members]
    return solver.prefer(found, (*fewest, *largest, *moments, *payment.preferences), *bad, amount)


def hinted(solver: Solver, portfolio: Portfolio) -> Solver:
    """The solver with the portfolio's hints, if it has shown that they hold."""
    if portfolio.hints and solver.ask(portfolio.doubt).verdict is Verdict.PROVED:
        solver.hint(portfolio.hints)
    return solver


def fields_of(condition: Expression) -> Sequence[str]:
    """The fields that a condition reads and a sentence does not name anyway, in the order of the text."""
    names = (node.name for node in walk(condition) if isinstance(node, Field))
    return [name for name in dict.fromkeys(names) if name not in _NAMED_ANYWAY]


def _only(offer: Offer) -> Sequence[Member]:
    return (Member(offer, z3.BoolVal(True, offer.granted.ctx)),)


def _payment(
    campaigns: Sequence[Campaign],
    conditions: Mapping[str, Expression],
    rules: Sequence[RuleText],
    policy: Policy,
    brief: Brief | None,
    context: Any,
) -> SymbolicPayment:
    """One payment for all the campaigns, at a moment of the first one's window."""
    expressions = [*(conditions[each.id] for each in campaigns), *(text.expression for text in rules)]
    window = campaigns[0].window
    moments = (Instant(window.opens), Instant(window.closes))
    texts = texts_of(campaigns, brief)
    return symbolic_payment(policy.schema, expressions, context=context, moments=moments, texts=texts)
