"""A real browser over the console: Debian's chromium, driven by Playwright; whatever it complains of is kept."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect
from tests.web.running import Running

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


WAIT_MS = 10_000  # Longer than any page takes on a busy machine.


@dataclass
class Visitor:
    """One page of one browser profile, the server it visits, and every line of its console."""

    page: Page
    server: Running
    said: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        """The page at `path` of the server is shown."""
        await self.page.goto(self.server.address + path)

    async def sign_in(self, key: str, path: str = "/console/campaigns") -> None:
        """Signed in by the form, and led to `path`."""
        await self.go(path)
        await self.page.get_by_label("Your key").fill(key)
        await self.page.get_by_role("button", name="Sign in").click()
        await expect(self.page).to_have_url(self.server.address + path)

    def violations(self) -> list[str]:
        """What the page was refused by its own content security policy."""
        return [line for line in self.said if "Content Security Policy" in line]


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Chromium. Fails, and says how to get it, where it is missing: a page nobody looked at is not tested."""
    found = shutil.which("chromium")
    if found is None:
        pytest.fail("chromium is missing; on Debian: apt-get install chromium fonts-noto-cjk", pytrace=False)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visiting(browser: Browser, server: Running, **profile: Any) -> AsyncIterator[Visitor]:
    """A visitor with a fresh profile. `profile` as Playwright's `new_context` takes it; English unless it says."""
    context = await browser.new_context(**{"locale": "en", "viewport": {"width": 1280, "height": 900}, **profile})
    context.set_default_timeout(WAIT_MS)
    visitor = Visitor(await context.new_page(), server)

    def keep(message: ConsoleMessage) -> None:
        visitor.said.append(f"{message.type}: {message.text}")

    visitor.page.on("console", keep)
    try:
        yield visitor
    finally:
        await context.close()
