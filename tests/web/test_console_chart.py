"""The live chart in a real browser, and its geometry: what is expected is always inside the scale."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import Browser, Page, expect
from tests.web.browsing import Visitor, visiting
from tests.web.running import CAMPAIGN, Running
from tests.web.selling import house_with_payments, quote, signed_in

from makegood.web.console.chart_shapes import HIGH, scale_of

PAGE = f"/console/campaigns/{CAMPAIGN}"
CHART = f"{PAGE}/chart"
MONEY = st.integers(1, 10**13)
TEXT_CONTRAST, LINE_CONTRAST = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11.

PAINTED = """
selector => [...document.querySelectorAll(selector)].map(one => {
  const style = getComputedStyle(one);
  return {text: one.textContent, fill: style.fill, stroke: style.stroke, size: style.fontSize};
})
"""


@pytest.fixture
def keys(server: Running) -> dict[str, str]:
    """The keys of a house that nobody else uses: 60.00 CNY granted in three quotes."""
    return house_with_payments(server)


@given(MONEY, MONEY, st.integers(0, 10**15))
def test_what_is_expected_and_the_bound_of_the_collar_are_inside_the_scale(limit: int, more: int, busiest: int) -> None:
    scale = scale_of(limit, 20 * limit + more, busiest)
    assert 0 < scale.height(limit) < scale.height(20 * limit + more) < HIGH
    assert scale.height(busiest) <= HIGH


@given(MONEY, MONEY, st.lists(st.integers(0, 10**15), min_size=2))
def test_more_money_is_never_lower(limit: int, more: int, amounts: list[int]) -> None:
    scale = scale_of(limit, 20 * limit + more, max(amounts))
    heights = [scale.height(one) for one in sorted(amounts)]
    assert heights == sorted(heights)
    assert scale.height(0) == 0


def test_without_a_brief_the_busiest_minute_sets_the_scale() -> None:
    assert HIGH // 2 < scale_of(None, None, 123_456).height(123_456) < HIGH
    assert scale_of(None, None, 0).height(0) == 0


def test_the_chart_its_twin_and_the_api_say_the_same(server: Running, keys: dict[str, str]) -> None:
    with signed_in(server, keys["auditor"]) as client:
        page, twin = client.get(PAGE).text, client.get(f"{CHART}.json").json()
    with server.client(None, Authorization=f"Bearer {keys['auditor']}") as api:
        said = api.get(f"/v1/campaigns/{CAMPAIGN}/chart").json()
        assert api.get("/v1/campaigns/nothing/chart").json()["code"] == "not_found"
    assert twin.keys() == said.keys()
    assert (said["granted_minor"], said["grants"], said["paid_minor"], said["busiest_minor"]) == (
        6_000,
        3,
        2_000,
        6_000,
    )
    assert said["points"][-1]["granted_minor"] <= said["busiest_minor"] == twin["busiest_minor"]
    assert (said["limit_minor"], said["breaker_minor"]) == (6_000_000, 120_000_000)
    assert [mark["action"] for mark in said["marks"]][-2:] == ["campaign.open_stage"] * 2
    assert said["stage"]["opened_minor"] == 10_000_000 and said["stage"]["left_minor"] == 9_994_000
    assert "the busiest minute had 60.00\u00a0CNY of at most 60,000.00\u00a0CNY expected" in page
    assert page.count('<svg class="chart"') == 1 and "<script>" not in page


async def test_the_chart_refreshes_by_itself_and_its_table_stays_open(visitor: Visitor, keys: dict[str, str]) -> None:
    await visitor.sign_in(keys["auditor"], PAGE)
    chart = visitor.page.locator("#chart")
    await chart.get_by_text("The chart as a table").click()
    await expect(chart.get_by_role("img")).to_have_accessible_name(
        re.compile("Live money In the last 30 minutes 60.00")
    )
    quote(visitor.server, keys)
    await expect(chart.locator("#chart-words")).to_contain_text("80.00 CNY were granted")
    await expect(chart.get_by_role("table").first).to_contain_text("80.00 CNY")
    await expect(chart.get_by_role("table").first).to_be_visible()
    await visitor.page.locator("#live").dispatch_event("every")
    await visitor.page.context.set_offline(True)
    await chart.dispatch_event("every")
    await expect(visitor.page.get_by_text("The connection is lost.")).to_be_visible()
    await expect(chart.locator("svg.chart")).to_have_count(1)


async def test_a_stop_is_marked_shaded_and_said(visitor: Visitor, keys: dict[str, str], server: Running) -> None:
    with server.client(None, Authorization=f"Bearer {keys['oncall']}") as api:
        stopped = api.post(f"/v1/campaigns/{CAMPAIGN}/stop", json={"reason": "wrong template"})
        assert stopped.status_code == 200, stopped.text
    await visitor.sign_in(keys["auditor"], CHART)
    chart = visitor.page.locator("#chart")
    await expect(chart.get_by_role("listitem").filter(has_text="Campaign stopped")).to_contain_text("wrong template")
    await expect(chart).to_contain_text("It is stopped: no stage opens.")
    assert await chart.locator("svg.chart rect.chart-stopped").count() == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_its_axes_can_be_read_in_every_theme(
    browser: Browser, server: Running, keys: dict[str, str], theme: Any
) -> None:
    async with visiting(browser, server, color_scheme=theme, viewport={"width": 390, "height": 844}) as visitor:
        await visitor.sign_in(keys["auditor"], CHART)
        texts = await visitor.page.evaluate(PAINTED, "svg.chart text:not(.is-number-text)")
        assert len(texts) >= 5
        faint = [one["text"] for one in texts if contrast(one["fill"], one["stroke"]) < TEXT_CONTRAST]
        assert faint == [] and {one["size"] for one in texts} == {"12px"}
        ground = await visitor.page.evaluate("getComputedStyle(document.querySelector('.chart-card')).backgroundColor")
        lines = await visitor.page.evaluate(
            PAINTED, "svg.chart .chart-limit, svg.chart .chart-line, svg.chart .chart-bound"
        )
        assert len(lines) == 3 and all(contrast(one["stroke"], ground) >= LINE_CONTRAST for one in lines)
        assert await is_inside(visitor.page, ".chart-limit") and await is_inside(visitor.page, ".chart-bound")
        assert await visitor.page.evaluate("document.documentElement.scrollWidth") == 390


async def is_inside(page: Page, line: str) -> bool:
    """Whether a line of the chart lies within its plot."""
    plot, found = (
        await page.locator("svg.chart > svg").first.bounding_box(),
        await page.locator(f"svg.chart {line}").bounding_box(),
    )
    assert plot is not None and found is not None
    return plot["y"] < found["y"] < plot["y"] + plot["height"]


def contrast(one: str, other: str) -> float:
    """The ratio of two colours by WCAG, as a browser computes them: `rgb(0, 0, 0)`."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
