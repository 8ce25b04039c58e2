"""Every page in every theme and language, as an accessibility checker sees it."""

from collections.abc import Sequence
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect
from tests.web.browsing import Visitor, visiting
from tests.web.running import CAMPAIGN, Running, make_house
from tests.web.selling import house_with_payments, signed_in

from makegood.web.console.language import LANGUAGES

PAGE = f"/console/campaigns/{CAMPAIGN}"
GUARDS = "/console/guards"
LIST = ("/console/campaigns", GUARDS)
STEPS = (f"{PAGE}/stop", f"{PAGE}/resume", f"{GUARDS}/everything/stop", f"{GUARDS}/everything/resume")
PATHS = (*LIST, "/console/campaigns?q=nothing", PAGE, f"{PAGE}/chart", *STEPS, "/console/access", "/console/x")
RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


@pytest.fixture(scope="module")
def keys(server: Running) -> dict[str, str]:
    """The keys of a house whose campaign runs."""
    return house_with_payments(server)


@pytest.fixture(scope="module")
def empty(server: Running) -> dict[str, str]:
    """The key of a house where nothing was published yet."""
    return make_house(server, "empty", ["auditor"])


@pytest.fixture(scope="module")
def stopped(server: Running) -> dict[str, str]:
    """The keys of a house whose campaign was stopped, and whose resume was asked for."""
    keys = house_with_payments(server)
    for who, step in (("oncall", "stop"), ("risk", "resume")):
        with signed_in(server, keys[who]) as client:
            assert client.post(f"{PAGE}/{step}", data={"reason": "a drill"}).status_code == 303
    return keys


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_no_page_has_a_fault_that_a_checker_finds(
    browser: Browser,
    server: Running,
    keys: dict[str, str],
    empty: dict[str, str],
    stopped: dict[str, str],
    theme: Any,
) -> None:
    faults = []
    for language in LANGUAGES:
        for key, paths in ((keys["oncall"], PATHS), (empty["auditor"], LIST), (stopped["finance"], (PAGE, GUARDS))):
            async with visiting(browser, server, color_scheme=theme) as visitor:
                faults += await _tour(visitor, key, language, paths)
    assert faults == []


async def _tour(visitor: Visitor, key: str, language: str, paths: Sequence[str]) -> list[str]:
    """Faults of the sign-in page, of each of `paths` as that key sees it, and of the dialog."""
    await visitor.go(f"/console/sign-in?lang={language}")
    faults = await _faults(visitor, "/console/sign-in") if paths is PATHS else []
    await visitor.page.locator("#key").fill(key)
    await visitor.page.locator("form button").first.click()
    await expect(visitor.page.locator(".shell")).to_be_visible()
    for path in paths:
        await visitor.go(path)
        assert await visitor.page.evaluate("document.documentElement.lang") == language
        faults += await _faults(visitor, path)
    if paths is PATHS:
        faults += await _dialog_faults(visitor)
    assert visitor.violations() == []
    return faults


async def _dialog_faults(visitor: Visitor) -> list[str]:
    await visitor.go(PAGE)
    await visitor.page.locator("[data-confirm]").first.click()
    await expect(visitor.page.locator("dialog[open] textarea")).to_be_visible()
    return await _faults(visitor, "the dialog")


async def _faults(visitor: Visitor, place: str) -> list[str]:
    found = await Axe().run(visitor.page, options=RULES)
    return [
        f"{place}: {fault['id']} ({fault['impact']}): {node['html'][:160]} {node['failureSummary']}"
        for fault in found.response["violations"]
        for node in fault["nodes"]
    ]
