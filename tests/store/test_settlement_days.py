"""Days of a policy's zone, settled by the command and told by it; entries written to a file."""

import asyncio
import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import asyncpg
import click
import pytest
from click.testing import CliRunner, Result
from tests.shop import Shop, open_spring_shop

from makegood.cli.ledger import command as ledger_command
from makegood.cli.ledger import csv_writer, jsonl_writer
from makegood.cli.settle import command as settle_command
from makegood.cli.statement import command as statement_command
from makegood.clock import Instant
from makegood.domain.review import Scope
from makegood.errors import Problem, ProblemCode
from makegood.services import holds, quotes, settlement
from makegood.services.access import Caller, House
from makegood.services.export import COLUMNS, Row
from makegood.services.platform import Platform
from makegood.store import settlement as rows
from makegood.store.verify import verify

ZONE = "Asia/Shanghai"


async def age(shop: Shop, days: int) -> None:
    """Whatever was booked so far happened so many days earlier: time passes without waiting for it."""
    connection = await asyncpg.connect(shop.platform.store.url)
    try:
        await connection.execute("set search_path = makegood; set session_replication_role = replica")
        await connection.execute(
            "update entries set at = at - $2::interval where house_id = $1", shop.house.id, dt.timedelta(days=days)
        )
    finally:
        await connection.close()


async def pay(shop: Shop, **changes: Any) -> str:
    """A payment that was quoted and made; gives its id."""
    payment = shop.payment(**changes)
    till = shop.callers["till"]
    answer = await quotes.quote(shop.platform, till, payment)
    assert answer["discount_minor"] > 0
    await holds.capture(shop.platform, till, answer["quote_id"], {})
    return str(payment["payment_id"])


async def today(shop: Shop) -> dt.date:
    async with shop.platform.store.pool.acquire() as connection:
        return Instant.of(await connection.fetchval("select clock_timestamp()")).day(ZONE)


def amounts(settled: tuple[settlement.Settled, ...]) -> dict[str, int]:
    (one,) = settled
    return {s.funder: s.closing - s.opening for s in one.statements}


@pytest.fixture
async def shop(platform: Platform) -> Shop:
    return await open_spring_shop(platform)


async def test_each_day_that_is_over_is_settled_by_itself(shop: Shop) -> None:
    first = await pay(shop)
    await age(shop, 1)
    await pay(shop, amount=10_000)
    await holds.refund(shop.platform, shop.callers["till"], first, {"refund_id": "r", "refund_amount": 5_000})
    await age(shop, 2)
    now = await today(shop)
    last = await settlement.settle(shop.platform, shop.house)
    assert last[0].day.day == now - dt.timedelta(days=1) and last[0].statements == ()
    days = [await settlement.settle(shop.platform, shop.house, now - dt.timedelta(days=ago)) for ago in (3, 2)]
    assert [amounts(day) for day in days] == [
        {"merchant-lin": 1_200, "platform": 2_800},
        {"merchant-lin": 300, "platform": 700},
    ]
    found = await settlement.statements(
        shop.platform, shop.house, "platform", now - dt.timedelta(days=3), now - dt.timedelta(days=1)
    )
    assert [(s.opening, s.closing) for s in found] == [(0, 2_800), (2_800, 3_500)]
    assert (await verify(shop.platform.store.pool, shop.house.id)).violations == ()


async def test_what_is_not_over_or_not_settled_is_not_told(shop: Shop) -> None:
    assert await settlement.settle(shop.platform, shop.house) == ()  # Nothing was booked before today.
    await pay(shop)
    await age(shop, 1)
    await settlement.settle(shop.platform, shop.house)
    day = await today(shop)
    for early in (day, dt.date.max):
        with pytest.raises(Problem, match="is not over in Asia/Shanghai"):
            await settlement.settle(shop.platform, shop.house, early)
    assert await settlement.settle(shop.platform, shop.house, dt.date.min) == ()
    with pytest.raises(Problem, match="is not settled yet"):
        await settlement.statements(shop.platform, shop.house, "platform", last=day)
    with pytest.raises(Problem, match="these days make no statement"):
        await settlement.statements(shop.platform, shop.house, "platform", day, day - dt.timedelta(days=1))
    with pytest.raises(Problem, match="nothing was billed"):
        await settlement.statements(shop.platform, shop.house, "nobody")
    with pytest.raises(Problem, match="nothing was billed to `platform` in `cny`"):
        await settlement.statements(shop.platform, shop.house, "platform", currency="cny")


async def test_a_currency_in_which_a_funder_was_never_billed_does_not_hold_back_its_statements(shop: Shop) -> None:
    await pay(shop)
    await age(shop, 1)
    await settlement.settle(shop.platform, shop.house)
    pool, house, day = shop.platform.store.pool, shop.house.id, await today(shop) - dt.timedelta(days=1)
    earlier = day - dt.timedelta(days=5)
    until = dt.datetime.combine(earlier, dt.time(), dt.UTC)
    assert (await rows.open_day(pool, house, "USD", earlier, "UTC", until))["outcome"] == "done"
    assert await rows.close_day(pool, house, "makegood", "USD", earlier)
    (found,) = await settlement.statements(shop.platform, shop.house, "platform", day, day)
    assert (found.currency, found.closing) == ("CNY", 2_800)


def test_an_id_like_a_formula_is_disarmed_in_csv_and_itself_in_jsonl() -> None:
    row: Row = dict.fromkeys(COLUMNS, 1)
    row["subject"] = "=1+1"
    csv_text, jsonl = io.StringIO(), io.StringIO()
    csv_writer(csv_text)(row)
    jsonl_writer(jsonl)(row)
    assert ",'=1+1," in csv_text.getvalue()
    assert json.loads(jsonl.getvalue())["subject"] == "=1+1"


async def test_only_who_may_read_sees_what_was_billed(platform: Platform, house: House) -> None:
    blind = Caller(house, "till", frozenset(Scope) - {Scope.READ}, "key")
    for call in (
        settlement.settled_days(platform, blind),
        settlement.settled_day(platform, blind, "CNY", "2027-02-01"),
        settlement.statement(platform, blind, "platform", "CNY", "2027-02-01"),
        settlement.statements(platform, blind, "platform"),
    ):
        with pytest.raises(Problem) as caught:
            await call
        assert caught.value.code is ProblemCode.SCOPE_IS_MISSING


async def command(command: click.Command, shop: Shop, *arguments: str) -> Result:
    """What a command says of the shop's house. Commands run a loop of their own."""
    store = ["--data", shop.platform.settings.data, "--house", shop.house.name]
    return await asyncio.to_thread(CliRunner().invoke, command, [*arguments, *store])


async def test_the_commands_settle_and_write_a_file_that_adds_up(shop: Shop, tmp_path: Path) -> None:
    payment = await pay(shop)
    await age(shop, 1)
    await holds.refund(shop.platform, shop.callers["till"], payment, {"refund_id": "r", "refund_amount": 5_001})
    await age(shop, 1)
    said = await command(settle_command, shop, "--json")
    assert said.exit_code == 0, said.output
    (one,) = json.loads(said.stdout)["settled"]
    assert (one["currency"], one["zone"], one["amount_minor"], one["new"]) == ("CNY", ZONE, -1_000, True)
    again = await command(settle_command, shop, "--json")
    assert json.loads(again.stdout)["settled"] == [one | {"new": False}]
    start = (dt.date.fromisoformat(one["day"]) - dt.timedelta(days=1)).isoformat()
    out = tmp_path / "platform.csv"
    wrote = await command(statement_command, shop, "platform", "--from", start, "--out", str(out), "--json")
    assert wrote.exit_code == 0, wrote.output
    told = json.loads(wrote.stdout)["statements"]
    assert [s["amount_minor"] for s in told] == [2_800, -700]
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert [(row["record"], row["amount"], row["balance"]) for row in rows] == [
        ("opening", "", "0.00"), ("line", "28.00", "28.00"), ("closing", "28.00", "28.00"),
        ("opening", "", "28.00"), ("line", "-7.00", "21.00"), ("closing", "-7.00", "21.00"),
    ]  # fmt: skip
    assert {row["hash"] for row in rows} == {s["hash"] for s in told}
    shown = await command(statement_command, shop, "platform", "--from", start)
    assert shown.stdout.replace("\r\n", "\n") == out.read_text(encoding="utf-8")


async def test_every_entry_is_written_and_adds_up(shop: Shop, tmp_path: Path) -> None:
    await pay(shop)
    await age(shop, 1)
    await settlement.settle(shop.platform, shop.house)
    out = tmp_path / "entries.jsonl"
    said = await command(ledger_command, shop, "export", "--out", str(out), "--json")
    assert said.exit_code == 0, said.output
    verified = await verify(shop.platform.store.pool, shop.house.id)
    told = json.loads(said.stdout)
    assert (told["balanced"], told["violations"], told["out"]) == (True, [], str(out))
    assert (told["entries"], told["accounts"]) == (verified.entries, verified.accounts)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert {row["kind"] for row in rows} == {"fund", "open_stage", "reserve", "capture", "settle"}
    settled = [row for row in rows if row["kind"] == "settle"]
    assert {row["to_funder"]: row["amount"] for row in settled} == {"merchant-lin": "12.00", "platform": "28.00"}
    as_csv = await command(ledger_command, shop, "export")
    lines = list(csv.DictReader(io.StringIO(as_csv.stdout)))
    assert [line["entry_id"] for line in lines] == [str(row["entry_id"]) for row in rows]
    assert "balanced" in as_csv.stderr


async def test_an_entry_that_is_missing_is_found_by_the_export(shop: Shop, tmp_path: Path) -> None:
    await pay(shop)
    connection = await asyncpg.connect(shop.platform.store.url)
    try:
        await connection.execute("set search_path = makegood; set session_replication_role = replica")
        await connection.execute("delete from entries where house_id = $1 and kind = 'capture'", shop.house.id)
    finally:
        await connection.close()
    said = await command(ledger_command, shop, "export", "--out", str(tmp_path / "x.csv"), "--json")
    assert said.exit_code == 1
    assert {v["invariant"] for v in json.loads(said.stdout)["violations"]} == {"balance_is_the_sum_of_entries"}


def test_an_export_that_cannot_be_is_wrong_usage(tmp_path: Path) -> None:
    for arguments in (["--json"], ["--out", str(tmp_path / "entries.txt")]):
        assert CliRunner().invoke(ledger_command, ["export", *arguments]).exit_code == 2
    assert list(tmp_path.iterdir()) == []
