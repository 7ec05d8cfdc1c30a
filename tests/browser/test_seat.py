"""A seat's call in a real browser: it pops up, is written down while the caller speaks, and survives a lost window."""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx
import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.audit import faults
from tests.browser.chromium import DESKTOP, Watch
from tests.browser.citizen import LI, STORY
from tests.browser.conftest import SETTINGS, Open, Visit
from tests.browser.house import House, Officer
from tests.browser.sitting import cookies_of

pytestmark = pytest.mark.browser

KEY = "sample-key-of-the-exchange"
CALLS = "/api/v1/hotline/calls"


@pytest.fixture(scope="module", autouse=True)
def officer(house: House) -> Officer:
    """A seat whose second factor is set up; the hotline's door is open."""
    assert isinstance(house.settings, dict)
    house.settings.update(SETTINGS | {"CHANNELS": "web,rest,hotline", "API_KEYS": f"exchange:{KEY}"})
    told = house.run(
        *("officer", "add", "zuoxi", "--display-name", "话务样本", "--role", "seat"),
        *("--unit", "620000-xinfang", "--totp"),
    )
    words = re.findall(r"\b(?:[0-9a-z]{4}-){3}[0-9a-z]{4}\b|otpauth://\S+", told)
    return Officer("zuoxi", *words)


@pytest.fixture(scope="module")
def signed_in(browser: Browser, officer: Officer, gateway: Open) -> StorageState:
    return cookies_of(browser, gateway.url, officer, "/desk/seat")


def tell(gateway: Open, call_id: str, event: str = "ringing", **more: str) -> Mapping[str, object]:
    """What a telephone system posts."""
    body = {"call_id": call_id, "event": event, "number": LI["phone"], "line": "12345", **more}
    with httpx.Client(base_url=gateway.url, trust_env=False) as client:
        told: Mapping[str, object] = client.post(CALLS, json=body, headers={"X-API-Key": KEY}).raise_for_status().json()
    return told


def answer(page: Page) -> None:
    """Take the call that rings."""
    page.locator(".call-rings button").first.click()
    page.wait_for_url("**/desk/seat/sheets/**")


def test_a_call_from_the_ring_to_the_receipt(
    signed_in: StorageState, visit: Visit, gateway: Open, watch: Watch
) -> None:
    petition = {"title": STORY["title"], "content": STORY["content"], "petitioners": [{"mobile": LI["phone"]}]}
    with httpx.Client(base_url=gateway.url, trust_env=False) as client:
        client.post("/api/v1/petitions", json=petition).raise_for_status()
    page = visit(viewport=DESKTOP, storage_state=signed_in)
    page.goto("/desk/seat")
    expect(page.locator("[data-state]")).to_have_text("已连接，来电自动弹出")
    wrong = faults(page, aged=False)
    assert tell(gateway, "PBX-1")["seats_open"] is True
    expect(page.locator(".call-rings")).to_contain_text("154****", timeout=5000)
    expect(page.locator("[data-said]")).to_contain_text("有新来电")
    expect(page).to_have_title(re.compile("^（1）"))
    assert LI["phone"] not in page.content()
    wrong += faults(page, aged=False)

    answer(page)
    expect(page.locator(".sheet-side")).to_contain_text("正在办理中")
    expect(page.locator(".sheet-side")).not_to_contain_text(STORY["title"])
    sheet = page.url
    page.locator("#content").press_sequentially("三号楼两周没有暖气", delay=5)
    page.locator("#caller-name").fill(LI["name"])
    page.locator("#place_find").fill("城关区")
    page.locator("[data-places] label", has_text="城关区").first.click()
    expect(page.locator("[data-saved]")).to_contain_text("已保存", timeout=5000)
    page.wait_for_timeout(2500)
    expect(page.locator("[data-saved]")).not_to_have_class(re.compile("is-late"))
    # The window is lost while the caller still speaks.
    page.close(run_before_unload=False)
    page = visit(viewport=DESKTOP, storage_state=signed_in)
    page.goto("/desk/seat")
    page.locator(".seat-item", has_text="三号楼").click()
    assert page.url == sheet
    expect(page.locator("#content")).to_have_value("三号楼两周没有暖气")
    expect(page.locator("#caller-name")).to_have_value(LI["name"])
    expect(page.locator("#place-now")).to_be_checked()
    wrong += faults(page, aged=False)

    # What is wrong is said at its field.
    page.locator("#ended_at").fill("2020-01-01T00:00")
    page.get_by_role("button", name="提交工单").click()
    expect(page.locator(".errors")).to_be_focused()
    wrong += faults(page, aged=False)
    page.locator("#ended_at").fill("")
    page.get_by_role("button", name="提交工单").dblclick()
    expect(page.locator(".told h1")).to_contain_text("请读给来电人听")
    expect(page.locator(".told-no")).to_have_count(2)
    wrong += faults(page, aged=False)
    assert wrong == []
    assert {status for status, _ in watch.refused} <= {422}
    watch.refused.clear()


def test_a_lost_connection_keeps_what_was_typed(
    signed_in: StorageState, visit: Visit, gateway: Open, watch: Watch
) -> None:
    page = visit(viewport=DESKTOP, storage_state=signed_in)
    page.goto("/desk/seat")
    tell(gateway, "PBX-2")
    page.reload()
    answer(page)
    page.context.set_offline(True)
    page.locator("#content").fill("断线时写的话")
    expect(page.locator("[data-saved]")).to_contain_text("还没有保存", timeout=8000)
    page.context.set_offline(False)
    expect(page.locator("[data-saved]")).to_contain_text("已保存", timeout=20000)
    page.reload()
    expect(page.locator("#content")).to_have_value("断线时写的话")
    page.get_by_text("不是信访事项，不登记").click()
    page.locator("#drop").select_option("silent")
    page.get_by_role("button", name="删去草稿").click()
    expect(page.get_by_role("status").filter(has_text="不登记")).to_be_visible()
    watch.wrong[:] = [one for one in watch.wrong if "ERR_INTERNET_DISCONNECTED" not in one]
    watch.refused.clear()


def test_a_missed_call_on_a_phone(signed_in: StorageState, visit: Visit, gateway: Open) -> None:
    tell(gateway, "PBX-3")
    tell(gateway, "PBX-3", "over")
    page = visit(storage_state=signed_in)
    page.goto("/desk/seat")
    wrong = faults(page, aged=False)
    page.locator(".seat-item", has_text="来电没有接到").click()
    page.get_by_role("button", name="由我回呼").click()
    expect(page.locator(".facts")).to_contain_text("zuoxi")
    wrong += faults(page, aged=False)
    page.locator("#why").select_option("contact")
    page.get_by_role("button", name="显示号码").click()
    expect(page.locator("h1")).to_contain_text(LI["phone"][-4:])
    page.locator("#result").fill("已接通，诉求已记入工单")
    page.get_by_role("button", name="办结回呼").click()
    expect(page.get_by_role("status").filter(has_text="回呼已办结")).to_be_visible()
    assert wrong == []


def test_without_javascript_the_page_works_by_its_links(signed_in: StorageState, visit: Visit, gateway: Open) -> None:
    page = visit(viewport=DESKTOP, storage_state=signed_in, java_script_enabled=False)
    page.goto("/desk/seat")
    tell(gateway, "PBX-4")
    page.get_by_role("link", name="刷新").click()
    answer(page)
    page.locator("#content").fill("没有脚本时写的话")
    page.get_by_role("button", name="保存草稿").click()
    expect(page.locator("#content")).to_have_value("没有脚本时写的话")
