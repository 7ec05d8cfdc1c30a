"""The counter, the hall's screen and the village agent in a real browser, with and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.audit import faults
from tests.browser.chromium import DESKTOP, Watch
from tests.browser.citizen import LI, STORY, ZHANG
from tests.browser.conftest import SETTINGS, Open, Visit
from tests.browser.house import House, Officer
from tests.browser.sitting import cookies_of
from tests.servers.process import own_folder

pytestmark = pytest.mark.browser

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0" + b"\0" * 500
MATTER = {
    "region_words": "城关区",
    "title": STORY["title"],
    "content": STORY["content"],
    "requests": STORY["requests"],
}
TOWN = ("--unit", "620702199-township_government", "--region", "620702199")


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A house whose counter is open."""
    with own_folder("xf-browser-", None) as folder:
        yield House(folder, {**SETTINGS, "CHANNELS": "web,rest,visit,proxy"})


@pytest.fixture(scope="module", autouse=True)
def officers(house: House) -> tuple[Officer, Officer]:
    """A clerk and an agent, made before the gateway opens its door."""
    whom = ("--display-name", "代理样本", "--role", "agent", *TOWN, "--totp")
    told = house.run("officer", "add", "agent", *whom)
    words = re.findall(r"\b(?:[0-9a-z]{4}-){3}[0-9a-z]{4}\b|otpauth://\S+", told)
    return house.add_registrar("clerk", "--totp"), Officer("agent", *words)


@pytest.fixture(scope="module")
def seats(browser: Browser, officers: tuple[Officer, Officer], gateway: Open) -> tuple[StorageState, StorageState]:
    """The cookies of both after signing in: a code counts only once, so all tests share one sign-in."""
    clerk, agent = (cookies_of(browser, gateway.url, officer) for officer in officers)
    return clerk, agent


def fill(page: Page, person: Mapping[str, str], more: Mapping[str, str]) -> None:
    """Type one person and the matter."""
    typed = {f"people.0.{name}": value for name, value in person.items()}
    for name, value in {**typed, **MATTER, **more}.items():
        page.locator(f"[name='{name}']").fill(value)
    page.locator("[name=purpose]").select_option("APPEAL")
    for name in ("is_public", "confidential"):
        page.locator(f"[name={name}][value=no]").check()


@pytest.mark.parametrize("scripted", [False, True], ids=["without JavaScript", "with JavaScript"])
def test_a_visit_is_taken_down(
    visit: Visit, watch: Watch, seats: tuple[StorageState, StorageState], gateway: Open, scripted: bool
) -> None:
    page = visit(viewport=DESKTOP, storage_state=seats[0], java_script_enabled=scripted)
    wrong: list[str] = []

    def look() -> None:
        if scripted:
            wrong.extend(faults(page, aged=False))

    person = ZHANG if scripted else {**ZHANG, "id_no": "", "no_id": "证件遗失", "phone": ""}
    before = gateway.house.petitions("visit")
    page.goto("/desk/window")
    look()
    fill(page, {**person, "address": ""}, {})
    page.get_by_role("button", name="核对并宣读").click()
    expect(page.locator(".errors li")).to_have_count(1)
    expect(page.locator("[name=content]")).to_have_value(STORY["content"])
    if scripted:
        expect(page.locator("[data-errors]")).to_be_focused()
    look()
    page.locator(".errors a").click()
    expect(page.locator("[name='people.0.address']")).to_be_focused()
    page.keyboard.type(ZHANG["address"])
    page.get_by_role("button", name="核对并宣读").click()
    page.wait_for_url("**/desk/window/read")
    expect(page.locator(".paper-sheet")).to_contain_text(STORY["content"])
    look()
    page.locator("[name=read_back]").check()
    page.locator("[name=signed][value=paper]").check()
    submit = page.get_by_role("button", name="提交登记")
    if scripted:
        submit.dblclick()
    else:
        submit.click()
    page.wait_for_url("**/desk/window/receipt")
    expect(page.locator(".slip-code")).to_contain_text(re.compile("[0-9A-Z]{4}"))
    look()
    page.get_by_role("button", name="登记下一位").click()
    page.wait_for_url("**/desk/window?new=1")
    expect(page.locator("[name=content]")).to_have_value("")
    assert gateway.house.petitions("visit") == before + 1
    assert wrong == []
    assert {status for status, _ in watch.refused} == {422}
    watch.refused.clear()


def test_what_is_typed_is_kept_when_the_network_comes_back(
    visit: Visit, seats: tuple[StorageState, StorageState]
) -> None:
    page = visit(storage_state=seats[1])
    page.goto("/desk/proxy")
    said = page.locator("[data-kept]")
    page.context.set_offline(True)
    page.locator("[name=title]").fill(STORY["title"])
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(said).to_contain_text("现在存不上")
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(said).to_contain_text("草稿已在")
    page.goto("/desk/proxy")
    expect(page.locator("[name=title]")).to_have_value(STORY["title"])


@pytest.mark.parametrize("scripted", [False, True], ids=["without JavaScript", "with JavaScript"])
def test_an_agent_files_on_a_phone(
    visit: Visit, seats: tuple[StorageState, StorageState], gateway: Open, tmp_path: Path, scripted: bool
) -> None:
    page = visit(storage_state=seats[1], java_script_enabled=scripted)
    paper = tmp_path / "委托书.png"
    paper.write_bytes(PNG)
    before = gateway.house.petitions("proxy")
    page.goto("/desk")
    page.get_by_role("link", name="代群众反映").click()
    wrong = faults(page, aged=False) if scripted else []
    fill(page, LI, {"people.1.phone": "15400000012"})
    page.locator("[name=mandate][value=photo]").check()
    page.locator("[name=file_role]").select_option("MANDATE")
    page.locator("#files").set_input_files(paper)
    page.get_by_role("button", name="添加所选文件").click()
    expect(page.locator(".files")).to_contain_text(paper.name)
    page.locator("[name=consent]").check()
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/desk/proxy/receipt")
    expect(page.locator(".slip")).to_contain_text("交给当事人本人")
    wrong += faults(page, aged=False) if scripted else []
    page.get_by_role("button", name="已交给当事人").click()
    page.goto("/desk/proxy/receipt")
    page.wait_for_url("**/desk/proxy")
    assert gateway.house.petitions("proxy") == before + 1
    assert wrong == []


def test_a_number_is_called_and_shown_in_the_hall(visit: Visit, seats: tuple[StorageState, StorageState]) -> None:
    page = visit(viewport=DESKTOP, storage_state=seats[0])
    board = visit(viewport=DESKTOP)
    page.goto("/desk/window/queue")
    page.get_by_role("button", name="发一个号").click()
    page.get_by_role("button", name="发一个号").click()
    wrong = faults(page, aged=False)
    board.goto("/queue")
    page.locator("[name=window]").fill("3号")
    page.get_by_role("button", name="叫下一位").click()
    expect(page.locator(".numbers").first).to_contain_text("已叫号")
    # The screen of the hall renews itself.
    expect(board.locator(".board-now .newest")).to_contain_text("请到3号窗口")
    wrong += faults(board)
    assert wrong == []
