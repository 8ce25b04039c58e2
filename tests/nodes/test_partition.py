"""Nodes whose packets to and from the store are dropped, each in its way, while a campaign is stopped elsewhere."""

import asyncio
import socket
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from tests.nodes.ledger import assert_balanced, ever_granted, held, until_nothing_held
from tests.nodes.namespaces import STORE, Cut, Network, inside, network, why_not
from tests.nodes.node import payment, started

from makegood.bench.quote_http_world import HOUSE
from makegood.bench.stop_nodes import Nodes, campaign_of, running
from makegood.bench.stop_till import Heard, Till
from makegood.services import control
from makegood.services.access import authenticate
from makegood.settings import Settings
from makegood.store.connection import DATABASE
from makegood.store.embedded import programs
from makegood.store.migrate import SERVER_ROLE

CUTS = dict(enumerate(Cut, start=1))  # A node for each.
LEASE_MS, DEADLINE_MS = 1_000, 250
PAUSE_SECONDS = 0.03
PATIENCE_SECONDS = 30
STOPPED, RUNNING = campaign_of(1), campaign_of(2)


@dataclass
class Story:
    """What the tills heard, by node, and the moments at which something was done."""

    nodes: Nodes
    heard: list[Heard] = field(default_factory=list)
    asked: dict[float, str] = field(default_factory=dict)  # Payment ids by when they were sent.
    more: asyncio.Condition = field(default_factory=asyncio.Condition)
    cut: float = 0.0
    stopped: float = 0.0
    mended: float = 0.0

    def meanwhile(self, node: int) -> list[Heard]:
        """What was sent after the packets were dropped and answered before they flowed again."""
        return [one for one in self.heard if one.node == node and one.sent > self.cut and one.heard < self.mended]

    def ids(self, heard: list[Heard]) -> set[str]:
        """Their payments."""
        return {self.asked[one.sent] for one in heard}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def story() -> AsyncIterator[Story]:
    """Three nodes grant; each is cut off in its way; a campaign is stopped; they come back."""
    if missing := why_not():
        with warnings.catch_warnings():
            warnings.simplefilter("default")  # It is told at the end of the run, and is no error.
            warnings.warn(f"NOT TESTED: what a node does without its network. {missing}", stacklevel=1)
        pytest.skip(missing)
    settings = Settings(port=0, log_level="error", deadline_ms=LEASE_MS, lease_ms=LEASE_MS)
    async with running(0, 2, settings) as nodes:
        with network(len(CUTS)) as net, _listening(nodes, net):
            url = f"postgresql://{SERVER_ROLE}@{STORE}/{DATABASE}"
            yield await _told(nodes, net, replace(settings, database=url, deadline_ms=DEADLINE_MS, pool_size=4))


@contextmanager
def _listening(nodes: Nodes, net: Network) -> Iterator[None]:
    """The store's PostgreSQL is in its namespace; its socket in the file system is reached from everywhere."""
    (nodes.cluster / "local.conf").write_text("listen_addresses = '*'\n")
    with (nodes.cluster / "pg_hba.conf").open("a") as file:
        file.write(f"host {DATABASE} {SERVER_ROLE} 10.77.0.0/16 trust\n")
    restart = partial(programs.run, "pg_ctl", "restart", "-w", "-m", "fast", "-D", str(nodes.cluster))
    done = inside(net.store, lambda: restart("-l", str(nodes.cluster.parent / "postgres.log")))
    assert done.returncode == 0, done.stderr
    yield


async def _told(nodes: Nodes, net: Network, settings: Settings) -> Story:
    story = Story(nodes)
    async with AsyncExitStack() as stack:
        starting = [
            stack.enter_async_context(started(settings, start=partial(inside, name))) for name in net.nodes.values()
        ]
        addresses = [node.address for node in await asyncio.gather(*starting)]
        paying = [
            asyncio.create_task(_pay(story, number, name, at))
            for (number, name), at in zip(net.nodes.items(), addresses, strict=True)
        ]
        try:
            await _happen(story, net)
        finally:
            for task in paying:
                task.cancel()
            await asyncio.gather(*paying, return_exceptions=True)
    return story


async def _happen(story: Story, net: Network) -> None:
    await _until_granted(story, STOPPED, after=0.0)
    await _until_granted(story, RUNNING, after=0.0)
    for node, what in CUTS.items():
        net.cut(node, what)
    story.cut = monotonic()
    await asyncio.sleep((LEASE_MS + 2 * DEADLINE_MS) / 1000)  # The only way to have a lease run out.
    on_call = await authenticate(story.nodes.platform, story.nodes.on_call)
    await control.stop_campaign(story.nodes.platform, on_call, STOPPED[0], "while they were away")
    story.stopped = monotonic()
    story.mended = monotonic()
    for node, what in CUTS.items():
        net.mend(node, what)
    await _until_granted(story, RUNNING, after=story.mended)


async def _until_granted(story: Story, campaign: tuple[str, str], after: float) -> None:
    """Until each node has granted a payment of the campaign that was sent after a moment."""

    def everywhere() -> bool:
        return {o.node for o in story.heard if o.granted and o.sent > after and o.city == campaign[1]} == set(CUTS)

    async with asyncio.timeout(PATIENCE_SECONDS), story.more:
        await story.more.wait_for(everywhere)


async def _pay(story: Story, node: int, name: str, address: str) -> None:
    """A till beside the node: payments of both campaigns, one after the other."""
    at = urlsplit(address)
    through = inside(name, lambda: socket.create_connection((at.hostname, at.port or 0)))
    till = Till(address, story.nodes.checkout, through=through)
    try:
        while True:
            for _, city in (STOPPED, RUNNING):
                body, sent = payment(city), monotonic()
                story.asked[sent] = body["payment_id"]
                answer = await till.quote(body)
                async with story.more:
                    story.heard.append(Heard(node, city, sent, monotonic(), answer))
                    story.more.notify_all()
                await asyncio.sleep(PAUSE_SECONDS)
    finally:
        till.close()


each_way = pytest.mark.parametrize("node", CUTS, ids=[what.name.lower() for what in CUTS.values()])


@each_way
async def test_a_node_that_is_cut_off_answers_full_price_and_grants_nothing(story: Story, node: int) -> None:
    meanwhile = story.meanwhile(node)
    assert len(meanwhile) > 2
    assert {(one.answer["decided"], one.answer["discount_minor"]) for one in meanwhile} == {(False, 0)}
    assert {one.answer["to_pay_minor"] for one in meanwhile} == {10_000}


@each_way
async def test_what_was_answered_while_it_was_cut_off_holds_nothing_afterwards(story: Story, node: int) -> None:
    asked = story.ids(story.meanwhile(node))
    await until_nothing_held(story.nodes.platform, HOUSE, asked)
    assert await held(story.nodes.platform, HOUSE, asked) == set()


async def test_a_question_that_arrives_after_its_lease_moves_no_money(story: Story) -> None:
    """It waits in the node's network and is sent again when packets flow: by then it is older than the lease."""
    node = next(node for node, what in CUTS.items() if what is Cut.QUESTIONS)
    asked = story.ids(story.meanwhile(node))
    await until_nothing_held(story.nodes.platform, HOUSE, asked)
    assert await ever_granted(story.nodes.platform, HOUSE, asked) == set()


async def test_a_stop_made_meanwhile_is_heeded_before_a_node_that_comes_back_grants_again(story: Story) -> None:
    late = [one for one in story.heard if one.city == STOPPED[1] and one.sent > story.stopped]
    assert {one.node for one in late} == set(CUTS)
    assert [one for one in late if one.granted] == []


async def test_the_books_balance_after_a_partition(story: Story) -> None:
    await assert_balanced(story.nodes.platform, HOUSE)
