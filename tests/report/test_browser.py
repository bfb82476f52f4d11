"""The page in a real browser: nothing from a network, nothing in the console, accessible, fits a phone."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("axe_playwright_python", reason="needs playwright and axe-playwright-python")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from rsc_snn.report.chapters import Chapter
from rsc_snn.report.formats.html import html
from rsc_snn.report.page import write_report
from rsc_snn.report.sections import Section
from tests.report.sample import report

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DESK, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)
RESULTS = Path(__file__).parents[2] / "results"
OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
Show = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests; the system's own, never a downloaded one."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on the PATH")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def heard() -> list[str]:
    """What a shown page asked for beside itself, and what it said in the console."""
    return []


@pytest.fixture
def show(browser: Browser, tmp_path: Path, heard: list[str]) -> Iterator[Show]:
    """Opens a text as a page."""
    opened: list[Page] = []

    def open_page(text: str, size: ViewportSize = DESK, scheme: Any = "light", **options: Any) -> Page:
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        page = browser.new_page(viewport=size, color_scheme=scheme, **options)
        opened.append(page)
        page.on("console", lambda message: heard.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: heard.append(f"error: {error}"))
        page.on("requestfailed", lambda request: heard.append(f"failed: {request.url}"))
        page.on("request", lambda request: heard.append(f"request: {request.url}"))
        page.goto(file.as_uri())
        heard[:] = [
            line for line in heard if not line.startswith((f"request: {file.as_uri()}", "request: data:"))
        ]
        return page

    yield open_page
    for page in opened:
        page.close()


def violations(page: Page) -> list[str]:
    """What axe objects to, with everything unfolded."""
    page.evaluate(OPEN_ALL)
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {[node['html'][:120] for node in each['nodes'][:3]]}" for each in found]


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_everybody_can_read_it(show: Show, heard: list[str], size: ViewportSize, scheme: str) -> None:
    page = show(html(report()), size, scheme)
    assert not is_too_wide(page)
    assert violations(page) == []
    assert not is_too_wide(page), "also with everything unfolded"
    assert heard == []


def test_a_page_of_committed_rows(show: Show, heard: list[str], tmp_path: Path) -> None:
    folder = RESULTS / "2026-11-23-digits-rsc0.1-cpu-certificates"
    written = write_report(folder, tmp_path / "report.html")
    assert written.stat().st_size < 5_000_000
    page = show(written.read_text(encoding="utf-8"), PHONE, "dark")
    assert violations(page) == []
    assert not is_too_wide(page)
    assert heard == []


def test_what_is_wrong_is_found(show: Show) -> None:
    text = html(report())
    for right, wrong in (
        (' alt="Small."', ""),
        ("--good: #14612f", "--good: #8fc7a3"),
        ('<html lang="en">', "<html>"),
        ("<h3 ", "<h5 "),
    ):
        assert right in text
        text = text.replace(right, wrong)
    rules = {found.split(":")[0] for found in violations(show(text))}
    assert rules == {"image-alt", "color-contrast", "html-has-lang", "heading-order"}


def test_too_little_contrast_is_found_in_the_dark(show: Show) -> None:
    right, wrong = "--quiet: #a3afbb", "--quiet: #4c5661"
    assert right in html(report())
    (found,) = violations(show(html(report()).replace(right, wrong), DESK, "dark"))
    assert found.startswith("color-contrast")


def test_requests_and_complaints_are_heard(show: Show, heard: list[str]) -> None:
    planted = '<img alt="" src="missing.png"><script>console.error("no")</script></main>'
    show(html(report()).replace("</main>", planted))
    assert any(line.startswith("request: ") and line.endswith("missing.png") for line in heard)
    assert any(line.startswith("failed: ") for line in heard)
    assert "console: no" in heard


def test_a_page_that_is_too_wide_is_found(show: Show) -> None:
    assert is_too_wide(show(html(report()).replace(".scroll { overflow-x: auto;", ".scroll {"), PHONE))


def test_wide_tables_scroll_by_themselves_and_keep_their_names(show: Show) -> None:
    page = show(html(report()), PHONE)
    region = page.locator(".scroll").first
    before = region.locator("tbody th").first.bounding_box()
    region.focus()
    region.evaluate("each => { each.scrollLeft = 120 }")
    assert region.evaluate("each => each.scrollLeft") == 120
    assert region.evaluate("each => each === document.activeElement"), "a keyboard reaches it"
    after = region.locator("tbody th").first.bounding_box()
    assert before is not None
    assert after is not None
    assert after["x"] == before["x"], "the first column stays"


def test_the_contents_lead_where_they_say(show: Show) -> None:
    page = show(html(report()), PHONE)
    link = page.locator("nav a", has_text="Audits")
    assert not link.is_visible(), "folded on a phone"
    page.locator("nav summary").click()
    link.click()
    assert page.url.endswith("#audits")
    assert 0 <= page.locator("h2#audits").evaluate("each => each.getBoundingClientRect().top") < 200
    page.locator("a.up").click()
    assert page.locator("nav summary").evaluate("each => each.getBoundingClientRect().top") >= 0


def test_numbered_tables_and_figures_are_one_click_away(show: Show) -> None:
    titles = ["Table 3: white-box attacks", "Figure 1: the trade-off", "Tables: not numbered"]
    numbered = Chapter("The paper", [Section(title, ["Words."]) for title in titles])
    page = show(html(replace(report(), chapters=[*report().chapters, numbered])), PHONE)
    links = page.locator(".jumps a")
    assert links.all_inner_texts() == ["Table 3", "Table 3", "Figure 1"]
    assert all(link.is_visible() for link in links.all()), "also on a phone"
    assert violations(page) == []
    links.last.click()
    assert page.locator("h3", has_text="Figure 1").evaluate("each => each.getBoundingClientRect().top") < 740
    assert show(html(report()), PHONE).locator(".jumps").count() == 0, "a single one needs no list"


def test_contents_stand_beside_the_text_on_a_desk(show: Show) -> None:
    page = show(html(report()), DESK)
    assert page.locator("nav a", has_text="Audits").is_visible()
    nav, main = page.locator("nav").bounding_box(), page.locator("main").bounding_box()
    assert nav is not None
    assert main is not None
    assert nav["x"] + nav["width"] <= main["x"]


def test_no_script_is_needed(show: Show) -> None:
    page = show(html(report()), PHONE, java_script_enabled=False)
    page.locator("details.fold summary").first.click()
    assert page.locator("details.fold table").first.is_visible()


def test_paper_shows_what_is_folded_and_nothing_to_click(show: Show) -> None:
    page = show(html(report()))
    folded = page.locator("details.fold table").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()
    assert not page.locator("nav").is_visible()
