"""A healthy campaign through the real store, with every guard: when does each stage open?

`python -m tests.sim.healthy --rate 250` pays the example campaign of spring, four payments in a hundred, each captured
at once, until the whole budget is open. It prints a line for each stage, and exits 1 if a guard stops the campaign.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.shop import Shop, example, open_shop

from makegood.services.captures import capture_batch
from makegood.services.keeper import keep
from makegood.services.platform import close_platform, open_platform
from makegood.services.quotes import quote_batch
from makegood.services.views import view_of
from makegood.settings import Settings

CAMPAIGN = "spring-qr-2027"
LIKED = 0.04  # Of all payments; the brief expects 5 % at most, and 25.00 on average.
AMOUNTS = (10_000, 11_000, 12_000, 12_500)
SHOPS = 5_000
AT_ONCE = 100


async def main(rate: float, seconds: float) -> int:
    """Exit code 0 once the whole budget is open."""
    with tempfile.TemporaryDirectory(prefix="makegood-healthy-") as folder:
        Path(folder).chmod(0o755)  # noqa: ASYNC240 - once, before anything runs. As root PostgreSQL runs as another user.
        settings = Settings(data=f"{folder}/data", log_level="error", deadline_ms=5_000)
        platform = await open_platform(settings)
        keeping = asyncio.create_task(keep(platform))
        try:
            shop = await open_shop(platform, guards_left_out=())
            await shop.launch(example("campaign-spring.yaml"), example("brief-spring.yaml"))
            return await _pay(shop, rate, seconds)
        finally:
            keeping.cancel()
            await close_platform(platform)


async def _pay(shop: Shop, rate: float, seconds: float) -> int:
    draw, began, paid, granted, opened = random.Random(2027), time.monotonic(), 0, 0, 0
    while (now := time.monotonic() - began) < seconds:
        if now * rate < paid + AT_ONCE:
            await asyncio.sleep(0.02)
            continue
        granted += await _some(shop, draw)
        paid += AT_ONCE
        view = await view_of(shop.platform, shop.callers["olga"], CAMPAIGN)
        if view.stage_minor != opened or view.state != "running":
            opened = view.stage_minor
            words = f"{opened / 100:,.0f} open, {paid:,} payments, {granted:,} granted, {view.state}"
            sys.stdout.write(f"after {now:5.1f} s: {words}\n")
        if view.state != "running":
            return 1
        if opened == view.budget_minor:
            return 0
    return 1


async def _some(shop: Shop, draw: random.Random) -> int:
    payments = [
        shop.payment(payee_id=f"shop-{draw.randrange(SHOPS)}", amount=draw.choice(AMOUNTS))
        if draw.random() < LIKED
        else shop.payment(city="Beijing")
        for _ in range(AT_ONCE)
    ]
    answers = await quote_batch(shop.platform, shop.callers["till"], payments)
    held = [one for one in answers if isinstance(one, dict) and one["quote_id"]]
    if held:
        captures = [{"quote_id": one["quote_id"], "paid_at": one["decided_at"]} for one in held]
        await capture_batch(shop.platform, shop.callers["till"], captures)
    return len(held)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=250.0, help="payments a second")
    parser.add_argument("--seconds", type=float, default=600.0, help="give up after")
    chosen = parser.parse_args()
    sys.exit(asyncio.run(main(chosen.rate, chosen.seconds)))
