"""What a new revision of a campaign changes: for which payments, and in the document."""

from dataclasses import dataclass
from typing import Any

import z3

from makegood.clock import Instant
from makegood.domain.campaign import Campaign
from makegood.domain.policy import Policy
from makegood.proof.basket import NO_LINES, lines_of
from makegood.proof.case import fields_of, smallest, witness_of
from makegood.proof.changed import changed_parts, differences, widenings
from makegood.proof.effort import Effort
from makegood.proof.obligations import Facts
from makegood.proof.offer import Offer, offer_of
from makegood.proof.portfolio import Member
from makegood.proof.solver import NAME, Solver, fact_as_question, value_of
from makegood.proof.texts import conditions_of, texts_of
from makegood.proof.verdict import EQUIVALENT, NO_NEW_SUBSIDY, Change, Row, Verdict, Witness
from makegood.proof.words import Sight, Words, words
from makegood.rules.smt import symbolic_payment


@dataclass(frozen=True, slots=True)
class _Found:
    """Whether some payment gets more from one revision than from the other, and the smallest that does."""

    verdict: Verdict
    bad: Any
    witness: Witness | None


def compare(old: Campaign, new: Campaign, policy: Policy, effort: Effort) -> Change:
    """Both questions, the smallest payments that gain and that lose, and the parts of the document that differ."""
    comparison = _Comparison(old, new, policy, effort)
    gains, loses = comparison.more(comparison.new, comparison.old), comparison.more(comparison.old, comparison.new)
    return Change(
        no_new_subsidy=comparison.row(NO_NEW_SUBSIDY, widenings(old, new, comparison.facts), gains),
        equivalent=comparison.row(EQUIVALENT, differences(old, new, comparison.facts), gains, loses),
        gains=gains.witness,
        loses=loses.witness,
        changes=tuple(changed_parts(old, new, policy)),
        solver=NAME,
    )


class _Comparison:
    """Two revisions and one payment, which both see."""

    def __init__(self, old: Campaign, new: Campaign, policy: Policy, effort: Effort) -> None:
        self._policy, self._effort = policy, effort
        self._conditions = [conditions_of((each,), policy)[each.id] for each in (old, new)]
        context = z3.Context()
        self.facts = Facts(context)
        opens = min(old.window.opens, new.window.opens)
        closes = max(old.window.closes, new.window.closes)
        self._payment = symbolic_payment(
            policy.schema, self._conditions, context=context,
            moments=(Instant(opens), Instant(closes)), texts=texts_of((old, new)),
        )  # fmt: skip
        deadline = effort.deadline()
        lines = lines_of({"old": old.benefit, "new": new.benefit}, policy, deadline)
        reaches = [lines[name].reach() if name in lines else NO_LINES for name in ("old", "new")]
        self.old, self.new = (
            offer_of(campaign, condition, self._payment, reach)
            for campaign, condition, reach in zip((old, new), self._conditions, reaches, strict=True)
        )
        # What is left to chance is drawn for a campaign that is not granted, too: no draw is out of its bounds.
        drawn = (*self._payment.domain, *self.old.bounds, *self.new.bounds)
        self._context, self._solver = context, Solver(context, drawn, deadline)

    def more(self, one: Offer, other: Offer) -> _Found:
        """Whether any payment gets more from `one` than from `other`."""
        bad = z3.And(one.granted, one.discount > _grant(other))
        answer = self._solver.ask(bad)
        witness = self._witness(answer.model, bad, self._other_revision) if answer.model is not None else None
        return _Found(answer.verdict, bad, witness)

    def row(self, name: str, facts: list[tuple[Any, Words]], *found: _Found) -> Row:
        """Refuted by a payment, or by a part of the document that lets more, or just different, grants through."""
        began = self._effort.clock()
        bad = z3.Or([*(fact for fact, _ in facts), *(each.bad for each in found)])
        question = self._solver.question(bad)
        witness = next((each.witness for each in found if each.witness is not None), None)
        verdict = Verdict.REFUTED if witness is not None else Verdict.PROVED
        if witness is None and any(each.verdict is Verdict.UNKNOWN for each in found):
            verdict = Verdict.UNKNOWN
        broken = [(fact, said) for fact, said in facts if not z3.is_false(z3.simplify(fact))]
        if broken and witness is None:
            verdict, witness = Verdict.REFUTED, self._of_document(broken[0][1])
            question = fact_as_question(self._context, broken[0][0])
        return Row(name, verdict, (self._effort.clock() - began) / 1e6, question, witness)

    def _of_document(self, said: Words) -> Witness | None:
        """The smallest payment that the new revision grants anything: what differs is in the document."""
        answer = self._solver.ask(self.new.granted)
        if answer.model is None:
            return None
        return self._witness(answer.model, self.new.granted, lambda _model: lambda _sight: said)

    def _other_revision(self, model: Any) -> Any:
        old = value_of(model, _grant(self.old))

        def clause(sight: Sight) -> Words:
            before = sight.money(old)
            return words(f"the old revision takes {before['en']} off", f"旧版本立减{before['zh-CN']}")

        return clause

    def _witness(self, model: Any, bad: Any, clause_of: Any) -> Witness:
        members = (Member(self.new, z3.BoolVal(True, self._context)),)
        model = smallest(self._solver, model, self._payment, members, (bad,))
        reads = list(dict.fromkeys(name for tree in self._conditions for name in fields_of(tree)))
        parts = {self.new.campaign.id: value_of(model, _grant(self.new))}
        payment = self._payment.read(model)
        return witness_of(payment, self.new.campaign.id, parts, reads, self._policy, clause_of(model))


def _grant(offer: Offer) -> Any:
    """What a payment gets, minor units: nothing where it is not granted."""
    return z3.If(offer.granted, offer.discount, z3.IntVal(0, offer.discount.ctx))
