"""A round: a new house, its clients and operators, a storm of faults, calm, and the checks."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults import checks
from tests.faults.calls import Tally
from tests.faults.checks import Violation
from tests.faults.clients import Client
from tests.faults.faults import FELT_SECONDS, Attack, Struck
from tests.faults.operators import Operator
from tests.faults.schedule import Fault
from tests.faults.site import House, Site

CLIENTS = 64
STOPPABLE = ("small-gift", "hot-budget")
CALM_SECONDS = 1.0
RECOVERY_SECONDS = 120.0
SERVES = "somebody serves again soon, in the storm too"
RECOVERS = "everything works again when nothing is broken any more"


@dataclass(slots=True)
class Round:
    """What a round was and what it showed. `seconds`: all of it; `checking_seconds`: what of it came after the storm.

    `outage_seconds`: the longest time in which no server was ready.
    """

    seed: int
    struck: Struck
    tally: Tally
    violations: list[Violation]
    clients: list[Client]
    operators: list[Operator]
    seconds: float
    checking_seconds: float
    outage_seconds: float

    def felt(self) -> Counter[str]:
        """Faults, by kind, in whose time calls were told nothing."""
        return Counter(
            kind.value
            for kind, began, ended in self.struck.times
            if self.tally.failures(began, ended + FELT_SECONDS) > 0
        )

    def decided_after(self, moment: float) -> int:
        """Sales whose quote was asked for and decided after that."""
        sales = [sale for client in self.clients for sale in client.sales]
        return sum(1 for sale in sales if sale.quote.began > moment and (sale.quote.first or sale.answered_nothing))

    def counts(self) -> Counter[str]:
        """How much was at stake."""
        sales = [sale for client in self.clients for sale in client.sales]
        stops = [stop for operator in self.operators for stop in operator.stops]
        return Counter(
            payments=len(sales),
            quotes_acknowledged=sum(sale.quote.done for sale in sales),
            captures_acknowledged=sum(sale.captured > 0 for sale in sales),
            releases_acknowledged=sum(sale.release is not None and sale.release.done for sale in sales),
            refunds_acknowledged=sum(deed.done for sale in sales for deed in sale.refunds),
            expired=sum(sale.quote.done and not sale.captured and sale.over_from is None for sale in sales),
            superseded=sum(sale.superseded for sale in sales),
            stops=len(stops),
            payments_while_stopped=sum(
                1 for sale in sales for stop in stops if stop.since < sale.quote.began < stop.until
            ),
        )


async def run_round(site: Site, seed: int, lanes: Sequence[Sequence[Fault]], clients: int = CLIENTS) -> Round:
    """Afterwards all is well again and was checked; or it is not, which is the violation that is told."""
    began, tally = time.time(), Tally()
    house = await site.house(tally)
    tally.clear()
    attack = Attack(site)
    sellers = [Client(n, seed, house.lines["till"], f"{house.name}-p") for n in range(clients)]
    operators = [Operator(campaign, seed, house.lines) for campaign in STOPPABLE]
    over = asyncio.Event()
    acting = [
        asyncio.create_task(work) for work in (*(s.run(over) for s in sellers), *(o.run(over) for o in operators))
    ]
    violations: list[Violation] = []
    try:
        await attack.run(lanes)
        await site.ready(RECOVERY_SECONDS)
        await asyncio.sleep(CALM_SECONDS)  # Everything must work again before it ends.
    except TimeoutError:
        violations.append(Violation(RECOVERS, f"not after {RECOVERY_SECONDS:.0f} s"))
    finally:
        over.set()
        await asyncio.gather(*acting)
    ended = time.time()
    if not violations:
        violations += await _check(house, sellers, operators)
    if attack.outage_seconds > RECOVERY_SECONDS:
        violations.append(Violation(SERVES, f"nobody did for {attack.outage_seconds:.0f} s"))
    violations += [Violation("a payment goes on at its price", words) for words in tally.wrong]
    now = time.time()
    return Round(
        seed, attack.struck, tally, violations, sellers, operators, now - began, now - ended, attack.outage_seconds
    )


async def _check(house: House, clients: list[Client], operators: list[Operator]) -> list[Violation]:
    await asyncio.gather(*(client.settle() for client in clients))
    reader = house.lines["till"]
    found = await checks.from_servers(clients, reader)
    found += checks.from_books(clients, [stop for operator in operators for stop in operator.stops])
    found += [Violation("a stop is answered", words) for operator in operators for words in operator.wrong]
    return found + await checks.books_balance(reader)
