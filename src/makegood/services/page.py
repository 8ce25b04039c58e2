"""The one way to page: whoever is on call is told by POST, and no payment waits for it."""

import asyncio
import hashlib
import http.client
import json
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from makegood.clock import Instant
from makegood.limits import PAGE_SECONDS_MAX, PAGES_WAITING_MAX
from makegood.services.platform import Platform
from makegood.telemetry import PAGES, log

AGAIN_SECONDS = (1.0, 5.0, 20.0)  # Until the next try; after the last one it is given up.
_TASK = "page"
_SCHEMES = ("http", "https")
_SENDERS = ThreadPoolExecutor(2, thread_name_prefix="makegood-pager")


@dataclass(frozen=True, slots=True)
class Page:
    """What whoever is on call is told. `id` is the same however often it is told; `drill`: nothing happened.

    `words` are by language, `evidence` plain values without anything that names a person.
    """

    type: str
    id: str
    house: str
    subject: str
    at: Instant
    words: Mapping[str, str]
    evidence: Mapping[str, Any]
    drill: bool = False


def page_of_trip(
    house: str, guard: str, campaign: str, revision: str, what: str, evidence: Mapping[str, Any], at: Instant
) -> Page:
    """The page of a breaker that opened. The same trip has the same id, whichever process tells it."""
    known = _text([house, guard, campaign, revision, what, evidence])
    words = evidence.get("words") or {
        "en": f"{guard} stopped {campaign}: {what}",
        "zh-CN": f"{campaign}已被{guard}停止：{what}",
    }
    name = f"trip-{hashlib.sha256(known).hexdigest()[:32]}"
    details = {"guard": guard, "revision": revision, "what": what, **evidence}
    return Page("breaker.opened", name, house, f"campaign:{campaign}", at, words, details)


def page(platform: Platform, about: Page) -> None:
    """Begin to tell whoever is on call, and return at once. What fails is logged, and tried three times more."""
    waiting = sum(isinstance(one, asyncio.Task) and one.get_name() == _TASK for one in platform.tasks)
    if platform.settings.page_url is None or waiting >= PAGES_WAITING_MAX:
        result = "not_configured" if platform.settings.page_url is None else "dropped"
        PAGES.labels(result).inc()
        log.error("page_was_not_sent", why=result, type=about.type, id=about.id, words=dict(about.words))
        return
    task: asyncio.Task[object] = asyncio.create_task(_insist(platform.settings.page_url, about), name=_TASK)
    platform.tasks.add(task)
    task.add_done_callback(platform.tasks.discard)


async def send(url: str, about: Page) -> str | None:
    """None once one try was answered 2xx; otherwise why not, in words that do not tell the URL, which is a secret."""
    body = _text({**asdict(about), "at": about.at.text()})
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(2 * PAGE_SECONDS_MAX):  # Two others may be before it.
            status = await loop.run_in_executor(_SENDERS, _post, url, body, about.id)
    except TimeoutError:
        return f"it did not answer within {PAGE_SECONDS_MAX} s"
    except OSError as error:
        return f"it cannot be reached: {getattr(error, 'reason', None) or error}"
    except (ValueError, http.client.HTTPException) as error:
        return f"its URL or its answer is not HTTP ({type(error).__name__})"
    return None if 200 <= status < 300 else f"it answered {status}"


def _text(value: Any) -> bytes:
    """JSON in which the same value is the same text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str).encode()


async def _insist(url: str, about: Page) -> None:
    for seconds in (*AGAIN_SECONDS, None):
        why = await send(url, about)
        if why is None:
            PAGES.labels("sent").inc()
            return
        log.warning("page_failed", type=about.type, id=about.id, why=why, again_seconds=seconds)
        if seconds is not None:
            await asyncio.sleep(seconds)
    PAGES.labels("failed").inc()
    log.error("page_was_not_sent", why="failed", type=about.type, id=about.id, words=dict(about.words))


def _post(url: str, body: bytes, name: str) -> int:
    """The status of the answer, whatever it is: a redirect is not followed."""
    if urlsplit(url).scheme not in _SCHEMES:
        raise ValueError("only http and https")
    headers = {"Content-Type": "application/json", "User-Agent": "makegood", "Idempotency-Key": name}
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler()):
        opener.add_handler(handler)
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - its scheme was checked
    with opener.open(request, timeout=PAGE_SECONDS_MAX) as answer:
        status: int = answer.status
        return status
