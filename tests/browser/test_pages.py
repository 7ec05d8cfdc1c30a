"""The public pages in every way of reading: axe finds nothing, nothing scrolls sideways or comes from elsewhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.audit import faults
from tests.browser.chromium import DESKTOP, PHONE, Watch
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

PAGES = ("/", "/guide", "/guide/flow", "/contact", "/privacy", "/file", "/file?theme=none", "/track")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_public_pages_are_for_everybody(visit: Visit, size: dict[str, int]) -> None:
    page = visit(viewport=size)
    wrong: list[str] = []
    for path in PAGES:
        page.goto(path)
        wrong += faults(page)
    assert wrong == []


def test_a_page_that_is_not_there_is_a_page_too(visit: Visit, watch: Watch) -> None:
    page = visit()
    page.goto("/nowhere")
    assert faults(page) == []
    expect(page.get_by_role("link", name="首页").first).to_be_visible()
    assert watch.refused == [(404, "/nowhere")]
    watch.refused.clear()


@pytest.mark.parametrize("scripted", [False, True], ids=["without JavaScript", "with JavaScript"])
def test_large_text_and_dark_stay_as_they_were_chosen(visit: Visit, scripted: bool) -> None:
    page = visit(java_script_enabled=scripted)
    page.goto("/guide")
    page.get_by_role("button", name="大字版").click()
    root = page.locator("html")
    expect(root).to_have_attribute("data-text", "large")
    page.locator("button[name=theme][value=dark]").click()
    expect(root).to_have_attribute("data-theme", "dark")
    page.goto("/track")
    expect(root).to_have_attribute("data-text", "large")
    expect(root).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="标准字").click()
    expect(root).not_to_have_attribute("data-text", "large")


def test_everything_can_be_reached_by_keyboard(visit: Visit) -> None:
    page = visit(viewport=DESKTOP)
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("main a").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/file")


def test_the_watch_sees_what_it_is_there_for(visit: Visit, watch: Watch) -> None:
    page = visit()
    page.goto("/")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.x = 1' }))"
    )
    page.evaluate("document.body.append(Object.assign(new Image(), { src: 'http://elsewhere.example/a.png' }))")
    page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    found = faults(page)
    assert any("label" in one for one in found)
    assert any("Content Security Policy" in one for one in watch.wrong)
    watch.wrong.clear()
