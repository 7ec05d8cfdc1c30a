"""The terminal in a real browser: large, helpful, and empty after two minutes that nobody touched it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.audit import faults
from tests.browser.chromium import DESKTOP
from tests.browser.citizen import STORY, Citizen
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


def _kept(page: Page, name: str) -> None:
    """A picture for whoever wants to look: PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_nobody_there_means_nothing_left(visit: Visit) -> None:
    page = visit(viewport=DESKTOP)
    page.clock.install()
    page.goto("/kiosk")
    wrong = faults(page)
    page.reload()
    _kept(page, "kiosk")
    citizen = Citizen(page)
    page.get_by_role("link", name="我要反映").click()
    page.locator("form[action='/file'] .go button").click()
    citizen.walk("/file/requests")
    wrong += faults(page)
    page.reload()
    _kept(page, "kiosk-requests")
    page.goto("/file/story")
    expect(page.locator("#title")).to_have_value(STORY["title"])
    ask = page.get_by_role("dialog", name="您还在吗？")
    expect(ask).to_be_hidden()
    page.clock.fast_forward(85_000)
    page.locator("#title").press("End")
    page.clock.fast_forward(85_000)
    expect(ask).to_be_hidden()
    page.clock.fast_forward(10_000)
    expect(ask).to_be_visible()
    _kept(page, "kiosk-ask")
    wrong += faults(page)
    page.get_by_role("button", name="我还在").click()
    expect(ask).to_be_hidden()
    page.clock.fast_forward(100_000)
    expect(ask).to_be_visible()
    page.clock.fast_forward(40_000)
    page.wait_for_url("**/kiosk?ended=idle")
    expect(page.locator("main")).to_contain_text("已经全部清除")
    page.go_back()
    page.wait_for_load_state()
    assert STORY["title"] not in page.content(), "the back button shows nothing"
    names = {cookie.get("name") for cookie in page.context.cookies()}
    assert not {"draft", "case", "member"} & names
    assert wrong == []
