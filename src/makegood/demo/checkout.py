"""The tills of a demo: concurrent clients that quote payments over HTTP and do with each quote what shoppers do."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from makegood.demo.plan import BATCH_EVERY, BATCH_PAYMENTS, CLIENTS, Course, Fate, Plan, course_of, part_of, request_of
from makegood.demo.record import UNDECIDED, Journal, Opening, Record, furthest
from makegood.domain.payment import Payment
from makegood.errors import ProblemCode
from makegood.replay.wire import CallFailed, Wire

PAY_SECONDS = 40  # From the quote to the payment, on the clock of the payments.
_LOOKS = 24  # How often during a run the on-call person looks at the stages.
_STAGE_IS_LOW = 0.05  # A stage with less than this left is widened.


class Checkout:
    """One run of tills over `payments`; what they saw is in `journal`."""

    def __init__(self, plan: Plan, payments: Sequence[Payment], wire: Wire, step: Callable[[int], None]) -> None:
        self.journal = Journal([Record(p.payment_id, p.occurred_at, p.amount) for p in payments])
        self._plan = plan
        self._payments = payments
        self._wire = wire
        self._step = step
        self._done = 0
        self._open: dict[str, int] = {}
        self._on_call = asyncio.Lock()  # There is one on-call person, who does one thing at a time.

    async def run(self) -> Journal:
        """Every payment has its answer and its end afterwards. Raises CallFailed."""
        work: asyncio.Queue[range] = asyncio.Queue()
        for stretch in _work(len(self._payments)):
            work.put_nowait(stretch)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(CLIENTS):
                    group.create_task(self._till(work))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None  # The tills fail for one reason; the first tells it.
        return self.journal

    async def _till(self, work: "asyncio.Queue[range]") -> None:
        while not work.empty():
            stretch = work.get_nowait()
            if len(stretch) == 1:
                await self._single(stretch[0])
            else:
                await self._batch(stretch)
            await self._advance(len(stretch))

    async def _advance(self, count: int) -> None:
        look = max(1, len(self._payments) // _LOOKS)
        before, self._done = self._done, self._done + count
        self._step(count)
        if before // look != self._done // look:
            async with self._on_call:
                await self._widen()

    # -- quotes ----------------------------------------------------------------------------------------

    async def _single(self, index: int) -> None:
        payment, record = self._payments[index], self.journal.records[index]
        body = request_of(payment) | {"explain": True}
        reply = await self._wire.send("till", "POST", "/v1/quotes", body)
        if reply.status != 200:
            raise CallFailed(f"the quote of `{payment.payment_id}` gave {reply.status} {reply.code}")
        record.seconds = reply.seconds
        _take(record, reply.body)
        course = course_of(self._plan, payment.payment_id)
        if course.retried and record.benefits:
            again = await self._wire.call("till", "POST", "/v1/quotes", body)
            self.journal.retries += 1
            self.journal.retries_that_differ += _without_explanation(again) != _without_explanation(reply.body)
        await self._end(payment, record, course, reply.body)

    async def _batch(self, stretch: range) -> None:
        payments = [self._payments[index] for index in stretch]
        body = {"payments": [request_of(payment) | {"explain": True} for payment in payments]}
        answers = (await self._wire.call("till", "POST", "/v1/quotes/batch", body))["quotes"]
        for index, payment, answer in zip(stretch, payments, answers, strict=True):
            if "problem" in answer:
                raise CallFailed(f"the quote of `{payment.payment_id}` gave {answer['problem']['code']}")
            record = self.journal.records[index]
            _take(record, answer)
            await self._end(payment, record, course_of(self._plan, payment.payment_id), answer)

    # -- ends ------------------------------------------------------------------------------------------

    async def _end(self, payment: Payment, record: Record, course: Course, answer: dict[str, Any]) -> None:
        if answer["quote_id"] is None or course.fate is Fate.ABANDONED:
            return
        quote = f"/v1/quotes/{answer['quote_id']}"
        if course.fate is Fate.RELEASED:
            record.state = (await self._wire.call("till", "POST", f"{quote}/release", {}))["state"]
            return
        paid: dict[str, Any] = {"paid_at": payment.occurred_at.plus(PAY_SECONDS).text()}
        if course.fate is Fate.PARTLY_CAPTURED and payment.amount > 1:
            paid["captured_amount"] = part_of(payment.amount, course.parts[0])
            record.refunded = payment.amount - paid["captured_amount"]
            record.partly = True
        captured = await self._wire.call("till", "POST", f"{quote}/capture", paid)
        record.state = captured["state"]
        record.returned = captured["returned_discount_minor"]
        if course.fate is Fate.REFUNDED:
            await self._refund(payment, record, course)
        self._judge(record)

    async def _refund(self, payment: Payment, record: Record, course: Course) -> None:
        for number, permille in enumerate(course.parts, 1):
            amount = min(part_of(payment.amount, permille), payment.amount - record.refunded)
            if amount <= 0:
                return
            body = {"refund_id": f"{payment.payment_id}-r{number}", "refund_amount": amount}
            answer = await self._wire.call("till", "POST", f"/v1/payments/{payment.payment_id}/refunds", body)
            record.refunded += amount
            record.refunds += 1
            record.returned += answer["returned_discount_minor"]

    def _judge(self, record: Record) -> None:
        """What the answers said was returned is what the rule says."""
        kept = sum(record.kept(campaign) for campaign in record.benefits)
        self.journal.answers_that_differ += kept != record.discount - record.returned

    # -- stages ----------------------------------------------------------------------------------------

    async def _widen(self) -> None:
        """Open the next stage of every campaign whose open one is nearly used up."""
        views = (await self._wire.call("auditor", "GET", "/v1/campaigns"))["campaigns"]
        for view in views:
            self._note(view)
            low = view["stage_left_minor"] < _STAGE_IS_LOW * view["stage_minor"]
            if low and view["stage_minor"] < view["budget_minor"]:
                seen = {"opened_minor": view["stage_minor"]}
                reply = await self._wire.send("on-call", "POST", f"/v1/campaigns/{view['id']}/stages", seen)
                if reply.status == 200:
                    self._note(reply.body)
                elif reply.code != ProblemCode.STATE_FORBIDS.value:  # That one opened by itself meanwhile.
                    raise CallFailed(f"the next stage of `{view['id']}` did not open: {reply.status} {reply.code}")

    def _note(self, view: dict[str, Any]) -> None:
        """Keep a stage that opened since the last look, by whomever."""
        campaign, stage = view["id"], view["stage_minor"]
        if stage > self._open.setdefault(campaign, view["stages_minor"][0]):
            at = self._payments[min(self._done, len(self._payments)) - 1].occurred_at
            self.journal.openings.append(Opening(at, self._done, campaign, stage))
            self._open[campaign] = stage


def _work(payments: int) -> list[range]:
    """Single payments, and one stretch in BATCH_EVERY as a batch; in order."""
    work: list[range] = []
    for number, start in enumerate(range(0, payments, BATCH_PAYMENTS)):
        stretch = range(start, min(start + BATCH_PAYMENTS, payments))
        if number % BATCH_EVERY == BATCH_EVERY - 1:
            work.append(stretch)
        else:
            work.extend(range(index, index + 1) for index in stretch)
    return work


def _take(record: Record, answer: dict[str, Any]) -> None:
    if not answer["decided"]:
        record.refusal = UNDECIDED
        return
    record.benefits = {benefit["campaign"]: benefit["discount_minor"] for benefit in answer["benefits"]}
    record.state = answer["state"]
    if not record.benefits:
        record.refusal = furthest(answer["explanation"])


def _without_explanation(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "explanation"}
