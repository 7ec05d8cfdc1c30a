"""Joining by link in a real browser: the opener, the sheet, the neighbour, every page for everybody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.audit import faults
from tests.browser.chromium import DESKTOP, PHONE, Watch
from tests.browser.citizen import LI, Citizen
from tests.browser.conftest import Open, Visit

pytestmark = pytest.mark.browser


def _kept(page: Page, name: str) -> None:
    """A picture for whoever wants to look: PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_neighbours_join_by_link(visit: Visit, gateway: Open, watch: Watch) -> None:
    opener, neighbour = visit(viewport=DESKTOP), visit(viewport=PHONE)
    citizen = Citizen(opener, manner="joint")
    citizen.begin()
    citizen.walk("/file/people")
    opener.get_by_label("让他们自己扫码加入").check()
    _kept(opener, "people")
    opener.locator("button[name=do][value=next]").click()
    citizen.walk("/file/check")
    opener.get_by_role("button", name="确认提交").click()
    number = opener.locator("input[name=case_no]").get_attribute("value")
    assert number
    gateway.filed.add(number)
    wrong = faults(opener)
    _kept(opener, "receipt")
    opener.get_by_role("button", name="制作联名链接").click()
    wrong += faults(opener)
    opener.locator("#summary").fill("3号楼室温一直只有14度，要求供热公司上门检修、退还费用。")
    opener.locator("#household").fill("3号楼2单元501")
    opener.get_by_role("button", name="做好链接").click()
    link = opener.locator("a.join-url").get_attribute("href")
    assert link
    path = "/join/" + link.rsplit("/", 1)[1]

    neighbour.goto(path)
    wrong += faults(neighbour)
    _kept(neighbour, "join")
    neighbour.get_by_role("button", name="加入联名").click()
    expect(neighbour.locator(".errors")).to_be_visible()
    wrong += faults(neighbour)
    _kept(neighbour, "join-wrong")
    for name, value in {**LI, "household": "3号楼501"}.items():
        if name == "address":
            continue
        neighbour.locator(f"#{name}").fill(value)
    neighbour.get_by_label("我自愿加入").check()
    neighbour.get_by_role("button", name="加入联名").click()
    code = neighbour.locator(".query-code").get_attribute("aria-label")
    assert code
    wrong += faults(neighbour)
    _kept(neighbour, "joined")
    neighbour.goto(f"/track?no={number}")
    neighbour.locator("#query_code").fill(code.removeprefix("查询码 "))
    neighbour.get_by_role("button", name="查询").click()
    neighbour.wait_for_url("**/join/mine")
    wrong += faults(neighbour)
    _kept(neighbour, "mine")

    opener.reload()
    expect(opener.locator("#main")).to_contain_text("2 人，2 户")
    wrong += faults(opener)
    _kept(opener, "group")
    opener.get_by_role("link", name="打印一张贴在楼道").click()
    wrong += faults(opener)
    _kept(opener, "sheet")
    opener.goto("/track/group")
    opener.get_by_role("button", name="关闭链接").click()
    neighbour.goto(path)
    expect(neighbour.get_by_role("heading", name="联名已经截止")).to_be_visible()
    wrong += faults(neighbour)
    assert wrong == []
    assert watch.refused == [(422, path)]
    watch.refused.clear()
