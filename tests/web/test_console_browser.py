"""The console in a real browser: what people do with it works, with a script and without."""

import pytest
from playwright.async_api import Browser, expect
from tests.web.browsing import Visitor, visiting
from tests.web.running import CAMPAIGN, Running
from tests.web.selling import capture, house_with_payments, quote

PAGE = f"/console/campaigns/{CAMPAIGN}"


@pytest.fixture(scope="module")
def keys(server: Running) -> dict[str, str]:
    """The keys of a house whose campaign runs and stays so: 20.00 CNY granted, 40.00 CNY reserved by two quotes."""
    return house_with_payments(server)


@pytest.fixture
def fresh(server: Running) -> dict[str, str]:
    """The keys of such a house that nobody else uses."""
    return house_with_payments(server)


async def test_a_wrong_key_opens_nothing_and_is_not_shown_again(visitor: Visitor, keys: dict[str, str]) -> None:
    await visitor.go("/console/sign-in")
    await visitor.page.get_by_label("Your key").fill("mk_nobody_00000000_0000000000000000000000000000")
    await visitor.page.get_by_role("button", name="Sign in").click()
    await expect(visitor.page.get_by_role("alert")).to_contain_text("This key is not valid.")
    await expect(visitor.page.get_by_role("alert")).to_contain_text("key_is_wrong")
    await expect(visitor.page.get_by_label("Your key")).to_have_value("")


async def test_the_list_shows_each_campaign_with_its_bar_and_the_same_in_words(
    visitor: Visitor, keys: dict[str, str]
) -> None:
    await visitor.sign_in(keys["auditor"])
    row = visitor.page.get_by_role("row").filter(has_text="Spring QR discount")
    bar = row.get_by_role("img")
    await expect(bar).to_have_accessible_name(
        "Granted 20.00 CNY, reserved 40.00 CNY, open and free 99,940.00 CNY, of a budget of 1,000,000.00 CNY."
    )
    for kind in ("granted", "reserved", "open", "closed"):
        assert await bar.locator(f"rect.{kind}").count() > 0
    await expect(row).to_contain_text("Running")
    await expect(visitor.page.get_by_text("As of")).to_contain_text("Asia/Shanghai")


async def test_filters_are_kept_in_the_address(visitor: Visitor, keys: dict[str, str]) -> None:
    await visitor.sign_in(keys["auditor"])
    await visitor.page.get_by_label("Name, id or label").fill("spring")
    await visitor.page.get_by_label("State").select_option("stopped")
    await visitor.page.get_by_role("button", name="Filter campaigns").click()
    await expect(visitor.page).to_have_url(visitor.server.address + "/console/campaigns?q=spring&state=stopped")
    await expect(visitor.page.get_by_text("No campaign matches the filter")).to_be_visible()
    await visitor.page.locator("#live").get_by_role("link", name="Clear the filter").click()
    await expect(visitor.page.get_by_role("link", name="Spring QR discount")).to_be_visible()


async def test_figures_refresh_by_themselves_and_say_so_when_they_cannot(
    visitor: Visitor, fresh: dict[str, str]
) -> None:
    await visitor.sign_in(fresh["auditor"])
    capture(visitor.server, fresh, quote(visitor.server, fresh)["quote_id"])
    await expect(visitor.page.get_by_text("40.00 CNY granted of")).to_be_visible(timeout=12_000)
    live, lost = visitor.page.locator("#live"), visitor.page.get_by_text("The connection is lost.")
    await visitor.page.context.set_offline(True)
    await live.dispatch_event("every")  # What the timer dispatches too; the refresh above waited for the timer.
    await expect(lost).to_be_visible()
    await visitor.page.context.set_offline(False)
    await live.dispatch_event("every")
    await expect(lost).to_be_hidden()


async def test_a_stop_asks_once_in_a_dialog_and_then_nobody_gets_a_discount(
    visitor: Visitor, fresh: dict[str, str]
) -> None:
    assert quote(visitor.server, fresh)["discount_minor"] == 2_000
    await visitor.sign_in(fresh["oncall"], PAGE)
    await visitor.page.get_by_role("link", name="Stop this campaign…").click()
    dialog = visitor.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("New payments get no discount")
    await expect(dialog).to_contain_text("3 quotes already shown are honoured.")
    await dialog.get_by_label("Why is it stopped?").fill("<b>the amount</b> is wrong")
    await dialog.get_by_role("button", name="Stop this campaign").click()
    await expect(visitor.page.get_by_text("oncall stopped it on")).to_be_visible()
    await expect(visitor.page.locator("main")).to_contain_text("<b>the amount</b> is wrong")
    answer = quote(visitor.server, fresh)
    assert (answer["discount_minor"], answer["to_pay_minor"]) == (0, 10_000)


async def test_a_dialog_that_is_left_changes_nothing(visitor: Visitor, fresh: dict[str, str]) -> None:
    await visitor.sign_in(fresh["oncall"], PAGE)
    link = visitor.page.get_by_role("link", name="Stop this campaign…")
    await link.click()
    await visitor.page.get_by_role("link", name="Keep it running").click()
    await expect(visitor.page.get_by_role("dialog")).to_be_hidden()
    await link.click()
    await expect(visitor.page.get_by_role("dialog")).to_be_visible()
    await visitor.page.keyboard.press("Escape")
    await expect(visitor.page.get_by_role("dialog")).to_be_hidden()
    assert quote(visitor.server, fresh)["discount_minor"] == 2_000


async def test_a_stop_works_without_a_script(browser: Browser, server: Running, fresh: dict[str, str]) -> None:
    async with visiting(browser, server, java_script_enabled=False) as visitor:
        await visitor.sign_in(fresh["oncall"], PAGE)
        await visitor.page.get_by_role("link", name="Stop this campaign…").click()
        await expect(visitor.page).to_have_url(server.address + PAGE + "/stop")
        await visitor.page.get_by_label("Why is it stopped?").fill("wrong template")
        await visitor.page.get_by_role("button", name="Stop this campaign").click()
        await expect(visitor.page).to_have_url(server.address + PAGE)
        await expect(visitor.page.get_by_text("Reason: wrong template")).to_be_visible()
    assert quote(server, fresh)["discount_minor"] == 0


async def test_a_stop_needs_nothing_but_the_keyboard(visitor: Visitor, fresh: dict[str, str]) -> None:
    await visitor.sign_in(fresh["oncall"], PAGE)
    page = visitor.page
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    stop = page.get_by_role("link", name="Stop this campaign…")
    for _ in range(10):
        await page.keyboard.press("Tab")
        if await stop.evaluate("link => link === document.activeElement"):
            break
    await expect(stop).to_be_focused()
    assert await stop.evaluate("link => getComputedStyle(link).outlineStyle") == "solid"
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Why is it stopped?")).to_be_focused()
    await page.keyboard.type("wrong amount")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Reason: wrong amount")).to_be_visible()


async def test_a_resume_takes_a_reason_and_a_second_principal(
    browser: Browser, server: Running, fresh: dict[str, str]
) -> None:
    async with visiting(browser, server) as oncall:
        await oncall.sign_in(fresh["oncall"], f"{PAGE}/stop")
        await oncall.page.get_by_label("Why is it stopped?").fill("drill")
        await oncall.page.get_by_role("button", name="Stop this campaign").click()
        resume = oncall.page.get_by_role("button", name="Resume this campaign…")
        await expect(resume).to_have_accessible_description('Your key lacks the scope "resume".')
    for who, button in (("risk", "Ask to resume this campaign"), ("finance", "Confirm the resume")):
        async with visiting(browser, server) as visitor:
            await visitor.sign_in(fresh[who], f"{PAGE}/resume")
            await visitor.page.get_by_label("Why is it safe now?").fill("the drill is over")
            await visitor.page.get_by_role("button", name=button).click()
            await expect(visitor.page).to_have_url(server.address + PAGE)
            if who == "risk":
                await expect(visitor.page.get_by_text("risk asked to resume it.")).to_be_visible()
                await expect(visitor.page.get_by_text("You asked for it: another principal must")).to_be_visible()
                assert quote(server, fresh)["discount_minor"] == 0
    assert quote(server, fresh)["discount_minor"] == 2_000


async def test_a_session_that_is_over_is_told_beside_the_old_figures(visitor: Visitor, keys: dict[str, str]) -> None:
    await visitor.sign_in(keys["auditor"])
    await visitor.page.context.clear_cookies()
    await visitor.page.locator("#live").dispatch_event("every")
    await expect(visitor.page.get_by_text("Your session is over.")).to_be_visible()
    await expect(visitor.page.get_by_role("link", name="Spring QR discount")).to_be_visible()


async def test_the_language_and_the_colours_that_were_chosen_stay(visitor: Visitor, keys: dict[str, str]) -> None:
    await visitor.sign_in(keys["auditor"], PAGE)
    page = visitor.page
    light = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await page.get_by_role("link", name="Dark").click()
    await page.get_by_role("link", name="中文").first.click()
    await visitor.go("/console/campaigns")
    await expect(page.get_by_role("heading", level=1)).to_have_text("营销活动")
    assert await page.evaluate("document.documentElement.lang") == "zh-CN"
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != light


async def test_the_summary_is_there_in_the_other_language_too(visitor: Visitor, keys: dict[str, str]) -> None:
    await visitor.sign_in(keys["auditor"], PAGE)
    other = visitor.page.get_by_label("Summary").locator("details")
    await other.locator("summary").click()
    await expect(other.locator("p[lang=zh-CN]")).to_be_visible()


@pytest.mark.parametrize("path", ["/console/campaigns", PAGE, f"{PAGE}/stop", "/console/access"])
async def test_a_narrow_screen_shows_everything_without_scrolling_sideways(
    browser: Browser, server: Running, keys: dict[str, str], path: str
) -> None:
    async with visiting(browser, server, viewport={"width": 390, "height": 844}) as visitor:
        await visitor.sign_in(keys["oncall"], path)
        assert await visitor.page.evaluate("document.documentElement.scrollWidth") == 390
