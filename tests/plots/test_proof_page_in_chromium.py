"""The page in a real browser, on a phone and on a desk, without a network."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from forecaster.events import Calendar, Event
from forecaster.plots import proof_page
from tests.backtest.proof_cases import make_proof, make_series_proof

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not here"),
]

SIZES = {"phone": (390, 844), "desk": (1280, 900)}
DRAWN = "[...document.querySelectorAll('.figure')].every(one => one.dataset.drawn === 'yes')"


@dataclass
class Opened:
    """A page that has been drawn, what it asked for, and what it complained about."""

    page: Page
    width: int
    height: int
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "report.html"
    series = make_series_proof("a-namespace-with-a-long-name/and-a-workload-with-a-longer-one")
    proof = make_proof(series, timezone="America/Argentina/Buenos_Aires")
    starts = [series.span.at(3600.0 * hour) for hour in range(4, 40, 4)]
    final = Calendar(tuple(Event(at, at + timedelta(hours=2), "a final") for at in starts))
    proof = replace(proof, asked=replace(proof.asked, calendar=final))
    file.write_text(proof_page(proof, title="Backtest of a-file-with-a-rather-long-name.csv.gz"))
    return file


@pytest.fixture(scope="module", params=SIZES.values(), ids=SIZES.keys())
def opened(request, browser: Browser, written):
    width, height = request.param
    phone = width < 640
    context = browser.new_context(
        viewport={"width": width, "height": height}, is_mobile=phone, has_touch=phone
    )
    context.set_offline(True)
    opened = Opened(context.new_page(), width, height)
    opened.page.on("request", lambda one: opened.asked.append(one.url))
    opened.page.on("console", lambda one: opened.complaints.append(one.text))
    opened.page.on("pageerror", lambda one: opened.complaints.append(str(one)))
    opened.page.goto(written.as_uri())
    opened.page.wait_for_function(DRAWN)
    yield opened
    context.close()


def test_it_asks_for_nothing_and_complains_about_nothing(opened, written):
    assert opened.asked == [written.as_uri()]
    assert opened.complaints == []


def test_it_does_not_scroll_sideways_but_its_tables_may(opened):
    inner = "document.documentElement.scrollWidth"
    assert opened.page.evaluate(inner) <= opened.width
    beyond = opened.page.evaluate(
        """() => [...document.querySelectorAll("main *")]
            .filter(one => !one.closest(".scroll, .zoom, svg"))
            .filter(one => one.getBoundingClientRect().right > innerWidth + 0.5)
            .map(one => one.outerHTML.slice(0, 80))"""
    )
    assert beyond == []
    widest = opened.page.evaluate(
        "Math.max(...[...document.querySelectorAll('.scroll')].map(one => one.scrollWidth))"
    )
    assert (widest > opened.width) == (opened.width == 390), "a phone scrolls within the table"


def test_the_verdict_is_seen_without_scrolling(opened):
    headline = opened.page.locator(".verdict .headline")
    assert headline.is_visible()
    assert "fewer idle replica-hours than an HPA at its best setting" in headline.inner_text()
    box = headline.bounding_box()
    assert box["y"] + box["height"] < opened.height


def test_every_figure_is_drawn(opened):
    paths = opened.page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".figure")].map(one =>
            [one.id, [...one.querySelectorAll(".scatterlayer path")]
                .filter(path => path.getAttribute("d")?.length > 10).length]))"""
    )
    assert set(paths) == {"replay", "peak", "frontier", "calibration"}
    assert all(count >= 2 for count in paths.values()), paths
    for name in paths:
        box = opened.page.locator(f"#{name}").bounding_box()
        assert box["height"] >= 400
        assert box["width"] > 0.85 * min(opened.width, 1120)


def test_legends_lie_above_their_plots_and_all_text_can_be_read(opened):
    overlaps = opened.page.evaluate(
        """() => [...document.querySelectorAll(".legend")].filter(one => !one.children.length ||
            one.getBoundingClientRect().bottom >
            one.parentElement.querySelector(".figure").getBoundingClientRect().top + 0.5).length"""
    )
    assert overlaps == 0
    smallest = opened.page.evaluate(
        """() => Math.min(...[...document.querySelectorAll("main *, svg text")]
            .filter(one => one.textContent.trim() && one.checkVisibility())
            .map(one => parseFloat(getComputedStyle(one).fontSize)))"""
    )
    assert smallest >= 11


def test_axis_titles_do_not_cover_the_numbers_beside_them(opened):
    covered = opened.page.evaluate(
        """() => [...document.querySelectorAll(".figure")].flatMap(plot => {
            const ticks = [...plot.querySelectorAll("[class^=y][class$=tick] text")];
            const titles = [...plot.querySelectorAll("[class^=g-y][class$=title] text")];
            const boxes = list => list.map(one => one.getBoundingClientRect());
            return boxes(titles).filter(t => boxes(ticks).some(k => t.right > k.left + 1
                && t.left < k.right && t.bottom > k.top && t.top < k.bottom)).map(() => plot.id);
        })"""
    )
    assert covered == []


def test_a_day_is_chosen_by_its_button_and_left_again(opened):
    page = opened.page
    shown = "document.getElementById('replay').layout.xaxis.range"
    whole = page.evaluate(shown)
    page.locator(".zoom button", has_text="Thu 4 Jun").click()
    page.wait_for_function("document.querySelectorAll('.zoom [aria-pressed=true]').length === 1")
    assert [one[:10] for one in page.evaluate(shown)] == ["2026-06-04", "2026-06-05"]
    page.locator(".zoom button", has_text="All").click()
    page.wait_for_function(f"{shown}[0] !== '2026-06-04T00:00'")
    assert page.evaluate(shown) == whole


def test_a_line_is_hidden_by_its_entry_in_the_legend(opened):
    page = opened.page
    entry = page.locator("div:has(> #replay) > .legend button", has_text="HPA alone")
    lines = "document.getElementById('replay')._fullData.filter(one => one.legendgroup === 'hpa')"
    assert page.evaluate(f"{lines}.map(one => one.visible)") == [True, True]
    entry.click()
    page.wait_for_function(f"{lines}.every(one => one.visible === 'legendonly')")
    assert entry.get_attribute("aria-pressed") == "false"
    entry.click()
    page.wait_for_function(f"{lines}.every(one => one.visible === true)")


def test_events_are_bands_that_go_and_come_with_their_entry_in_the_legend(opened):
    page = opened.page
    entry = page.locator("div:has(> #replay) > .legend button", has_text="event")
    plot = "document.getElementById('replay')"
    bands = f"{plot}._fullLayout.shapes.filter(one => one.name === 'event').map(one => one.visible)"
    texts = f"{plot}.querySelectorAll('.annotation-text').length"
    count, told = len(page.evaluate(bands)), page.evaluate(texts)
    assert count == 3 * 9
    assert 0 < told <= 9
    entry.click()
    page.wait_for_function(f"{texts} === 0")
    assert not any(page.evaluate(bands))
    entry.click()
    page.wait_for_function(f"{texts} === {told}")
    assert page.evaluate(bands) == [True] * count
