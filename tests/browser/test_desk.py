"""An officer's first day in a real browser: password, second factor, desk, a case, a reason, a decision."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pyotp
import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.audit import faults
from tests.browser.chromium import DESKTOP, Watch
from tests.browser.citizen import LI, STORY
from tests.browser.conftest import Open, Visit
from tests.browser.house import House, Officer
from tests.browser.sitting import cookies_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", autouse=True)
def officers(house: House) -> tuple[Officer, Officer]:
    """One who has never signed in, and one whose second factor is set up; made before the gateway opens its door."""
    return house.add_registrar("newcomer"), house.add_registrar("registrar", "--totp")


@pytest.fixture(scope="module")
def case_no(gateway: Open) -> str:
    """A petition that came in from an app and has gone to its unit."""
    petition: dict[str, Any] = {
        "title": STORY["title"],
        "content": f"兰州市城关区{STORY['content']}",
        "purpose": "APPEAL",
        "petitioners": [{"name": LI["name"], "id_no": LI["id_no"], "mobile": LI["phone"], "address": LI["address"]}],
    }
    with httpx.Client(base_url=gateway.url, trust_env=False) as client:
        told = client.post("/api/v1/petitions", json=petition).raise_for_status().json()
        ask = {"X-Query-Code": told["query_code"]}
        for _ in range(25):
            if client.get(f"/api/v1/petitions/{told['case_no']}", headers=ask).raise_for_status().json()["unit"]:
                break
            time.sleep(0.2)
    return str(told["case_no"])


@pytest.fixture(scope="module")
def signed_in(browser: Browser, officers: tuple[Officer, Officer], gateway: Open) -> StorageState:
    """The cookies of the registrar after signing in: a code counts only once, so all tests share one sign-in."""
    return cookies_of(browser, gateway.url, officers[1])


def password(page: Page, officer: Officer, words: str = "") -> None:
    """Name and password."""
    page.locator("[name=name]").fill(officer.name)
    page.locator("[name=password]").fill(words or officer.password)
    page.get_by_role("button", name="下一步").click()


def test_the_first_sign_in_sets_up_the_second_factor(
    officers: tuple[Officer, Officer], visit: Visit, watch: Watch
) -> None:
    newcomer = officers[0]
    page = visit(viewport=DESKTOP)
    page.goto("/desk")
    page.wait_for_url("**/desk/sign-in**")
    wrong = faults(page, aged=False)
    password(page, newcomer, "wrong-wrong-wrong")
    expect(page.get_by_role("alert")).to_contain_text("账号或密码不正确")
    expect(page.locator("[name=name]")).to_have_value(newcomer.name)
    wrong += faults(page, aged=False)
    password(page, newcomer)
    expect(page.locator("h1")).to_have_text("设置身份验证器")
    page.get_by_text("手工输入密钥").click()
    wrong += faults(page, aged=False)
    # Behind the first page there is nothing yet.
    page.goto("/desk")
    page.wait_for_url("**/desk/sign-in**")
    password(page, newcomer)
    page.locator("[name=code]").fill("abcdef")
    page.get_by_role("button", name="完成设置并登录").click()
    expect(page.get_by_role("alert")).to_contain_text("验证码不正确")
    page.get_by_text("手工输入密钥").click()
    secret = page.locator(".secret").inner_text().replace(" ", "")
    page.locator("[name=code]").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="完成设置并登录").click()
    page.wait_for_url("**/desk")
    expect(page.locator(".who")).to_contain_text("登记样本")
    assert wrong + faults(page, aged=False) == []
    assert {status for status, _ in watch.refused} == {422}
    watch.refused.clear()
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("status")).to_contain_text("已退出登录")
    page.goto("/desk")
    page.wait_for_url("**/desk/sign-in**")


def test_a_case_is_opened_unmasked_with_a_reason_and_confirmed(
    signed_in: StorageState, visit: Visit, watch: Watch, case_no: str
) -> None:
    page = visit(viewport=DESKTOP, storage_state=signed_in)
    page.goto("/desk")
    wrong = faults(page, aged=False)
    # The keyboard: down to the first row, open it.
    page.keyboard.press("j")
    expect(page.locator("[data-rows] .row").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/cases/{case_no}**")
    body = page.locator("main")
    expect(body).to_contain_text(STORY["title"])
    expect(page.locator(".record")).to_contain_text("城关区")
    wrong += faults(page, aged=False)
    for hidden in (LI["name"], LI["id_no"], LI["phone"], LI["address"]):
        expect(body).not_to_contain_text(hidden)

    # Evidence: looking at a field lights up the place in the original it was read from.
    fact = page.locator("[data-points]").first
    fact.hover()
    expect(page.locator(f"#{fact.get_attribute('data-points')}")).to_have_class(re.compile("lit"))

    # Without a reason nothing is shown.
    page.get_by_role("button", name="显示身份信息").click()
    expect(page.locator(".errors")).to_be_visible()
    expect(body).not_to_contain_text(LI["id_no"])
    wrong += faults(page, aged=False)
    page.locator("[name=why]").select_option(index=1)
    page.get_by_role("button", name="显示身份信息").click()
    expect(page.locator(".people")).to_contain_text("本次查看已留痕")
    for shown in (LI["name"], LI["id_no"], LI["address"]):
        expect(page.locator(".people")).to_contain_text(shown)
    wrong += faults(page, aged=False)

    # One key brings the hand to the decision, and no key alone decides.
    page.goto(f"/desk/cases/{case_no}?queue=new")
    page.keyboard.press("a")
    button = page.get_by_role("button", name="确认登记")
    expect(button).to_be_focused()
    expect(page.locator(".case-tags")).not_to_contain_text("已确认")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("已确认登记")
    expect(page.locator(".case-tags")).to_contain_text("已确认")
    for path in ("correct", "reroute"):
        if page.locator(f"a[href*='/{path}']").count():
            page.goto(f"/desk/cases/{case_no}/{path}")
            wrong += faults(page, aged=False)
    assert wrong == []
    assert {status for status, _ in watch.refused} == {422}
    watch.refused.clear()


def test_the_desk_on_a_phone_and_its_keys_explained(signed_in: StorageState, visit: Visit, case_no: str) -> None:
    page = visit(storage_state=signed_in)
    page.goto("/desk")
    wrong = faults(page, aged=False)
    page.goto(f"/desk/cases/{case_no}?queue=all")
    wrong += faults(page, aged=False)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    wrong += faults(page, aged=False)
    assert wrong == []
