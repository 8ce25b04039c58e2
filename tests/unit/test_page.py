"""Pages: told once it was answered 2xx, tried again otherwise, and never in the way."""

import asyncio
import socket
from dataclasses import replace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs
from tests.pager import Pager

from makegood.clock import Instant, system_clock
from makegood.services import page as pages
from makegood.services.page import Page, page, page_of_trip, send
from makegood.services.platform import Platform
from makegood.settings import Settings
from makegood.telemetry import REGISTRY

AT = Instant.parse("2027-02-01T04:00:00Z")
ABOUT = Page(
    "breaker.opened",
    "trip-1",
    "shop",
    "campaign:spring",
    AT,
    {"en": "it stopped", "zh-CN": "已停止"},
    {"seen": 6, "at": AT},
)


def process(url: str | None) -> Platform:
    """A process that pages. No page asks the store."""
    return Platform(cast(Any, None), Settings(page_url=url), system_clock)


def counted(result: str) -> float:
    return REGISTRY.get_sample_value("makegood_pages_total", {"result": result}) or 0.0


async def test_a_page_says_what_happened_in_both_languages_with_its_evidence() -> None:
    with Pager().listening() as pager:
        assert await send(pager.url, ABOUT) is None
    assert pager.got == [
        {
            "type": "breaker.opened",
            "id": "trip-1",
            "house": "shop",
            "subject": "campaign:spring",
            "at": "2027-02-01T04:00:00Z",
            "words": {"en": "it stopped", "zh-CN": "已停止"},
            "evidence": {"seen": 6, "at": int(AT)},
            "drill": False,
        }
    ]


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_what_is_not_answered_2xx_was_not_told(status: int) -> None:
    with Pager(status).listening() as pager:
        assert await send(pager.url, ABOUT) == f"it answered {status}"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    with Pager().listening() as elsewhere, Pager(status, location=elsewhere.url).listening() as pager:
        assert await send(pager.url, ABOUT) == f"it answered {status}"
    assert elsewhere.got == []


async def test_a_pager_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE_SECONDS_MAX", 0.2)
    with Pager(None).listening() as pager:
        why = await send(pager.url, ABOUT)
    assert why == "it did not answer within 0.2 s"


async def test_a_pager_that_refuses_is_told_of() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # It is bound, and nobody listens.
        why = await send(f"http://127.0.0.1:{taken.getsockname()[1]}/", ABOUT)
    assert why is not None and "refused" in why


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://pager/", "pager", "http://pager:s3cret-port/", "http://"])
async def test_only_http_is_spoken_and_the_url_is_not_told(url: str) -> None:
    why = await send(url, ABOUT)
    assert why is not None and "s3cret" not in why and "passwd" not in why


async def test_a_page_that_fails_is_tried_three_times_more_with_the_same_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "AGAIN_SECONDS", (0.01, 0.01, 0.01))
    before = counted("failed")
    with Pager(500).listening() as pager, capture_logs() as logs:
        platform = process(pager.url)
        page(platform, ABOUT)
        await asyncio.gather(*platform.tasks)
    assert [one["id"] for one in pager.got] == ["trip-1"] * 4
    assert counted("failed") == before + 1
    assert [line["event"] for line in logs] == ["page_failed"] * 4 + ["page_was_not_sent"]


async def test_a_page_that_gets_through_later_counts_as_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "AGAIN_SECONDS", (0.01, 0.01, 0.01))
    before = counted("sent"), counted("failed")
    with Pager(500).listening() as pager:
        platform = process(pager.url)
        page(platform, ABOUT)
        while not pager.got:  # noqa: ASYNC110 - another process answers
            await asyncio.sleep(0.001)
        pager.answers = 200
        await asyncio.gather(*platform.tasks)
    assert (counted("sent"), counted("failed")) == (before[0] + 1, before[1])


async def test_nobody_waits_for_a_pager() -> None:
    with Pager(None).listening() as pager:
        platform = process(pager.url)
        page(platform, ABOUT)  # It is no coroutine: there is nothing to wait for.
        (task,) = platform.tasks
        assert not task.done()
        task.cancel()
        await asyncio.wait({task})


async def test_without_a_pager_the_log_has_the_words() -> None:
    before = counted("not_configured")
    with capture_logs() as logs:
        page(process(None), ABOUT)
    assert counted("not_configured") == before + 1
    assert [(line["event"], line["words"]["en"]) for line in logs] == [("page_was_not_sent", "it stopped")]


async def test_a_flood_of_pages_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGES_WAITING_MAX", 2)
    before = counted("dropped")
    with Pager().listening() as pager:
        platform = process(pager.url)
        for number in range(5):
            page(platform, replace(ABOUT, id=f"trip-{number}"))
        await asyncio.gather(*platform.tasks)
    assert sorted(one["id"] for one in pager.got) == ["trip-0", "trip-1"]
    assert counted("dropped") == before + 3


def test_the_same_trip_has_the_same_id_and_another_one_another() -> None:
    evidence = {"seen": 6, "words": {"en": "too much", "zh-CN": "过多"}}
    first = page_of_trip("shop", "collar", "spring", "rev_1", "discount_is_above_max", evidence, AT)
    again = page_of_trip(
        "shop", "collar", "spring", "rev_1", "discount_is_above_max", dict(reversed(evidence.items())), AT.plus(9)
    )
    other = page_of_trip("shop", "collar", "spring", "rev_2", "discount_is_above_max", evidence, AT)
    assert first.id == again.id != other.id
    assert first.words == evidence["words"] and first.subject == "campaign:spring"
