"""A petition is filed in a real browser on a phone, with and without JavaScript, and followed to its unit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.audit import faults
from tests.browser.chromium import Watch
from tests.browser.citizen import LI, STORY, ZHANG, Citizen
from tests.browser.conftest import Open, Visit

pytestmark = pytest.mark.browser

WRONG_ID = "620199198503120013"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0" + b"\0" * 500
NUMBER = re.compile(r"620000-W-\d{8}-\d{5,}-[0-9A-Z]")
CODE = re.compile(r"(?:[0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}")


@pytest.fixture
def papers(tmp_path: Path) -> tuple[Path, ...]:
    """Two files a citizen might have."""
    picture, words = tmp_path / "温度计照片.png", tmp_path / "通话记录.txt"
    picture.write_bytes(PNG)
    words.write_text("10月8日、10月9日各打过一次，没有人接。", encoding="utf-8")
    return picture, words


def receipt_of(page: Page) -> tuple[str, str]:
    """Number and code as they stand on the receipt."""
    number = page.locator(".case-no").inner_text().replace("\n", "")
    code = page.locator(".query-code").inner_text().replace("\n", "")
    assert NUMBER.fullmatch(number)
    assert CODE.fullmatch(code)
    return number, code


def submit_twice(page: Page, gateway: Open) -> tuple[str, str]:
    """Press the button as a hasty hand does, then reload and go back: always the same receipt of one case."""
    form = page.locator("form[action='/file/check']")
    names = ("_csrf", "notice")
    sent: dict[str, str | float | bool] = {name: form.locator(f"[name={name}]").input_value() for name in names}
    page.get_by_role("button", name="确认提交").dblclick()
    page.wait_for_url("**/file/receipt")
    first = receipt_of(page)
    again = page.context.request.post("/file/check", form=sent, headers={"Origin": gateway.url})
    assert again.url == page.url, "the same form once more leads to the same receipt"
    page.reload()
    assert receipt_of(page) == first
    page.goto("/file/check")
    page.wait_for_url("**/file/receipt")
    assert receipt_of(page) == first
    gateway.filed.add(first[0])
    return first


def follow(page: Page, number: str, code: str) -> None:
    """Ask for the case until it has gone to a unit."""
    page.goto("/track")
    page.locator("[name=case_no]").fill(number.lower().replace("-", " "))
    page.locator("[name=query_code]").fill(code.lower())
    page.locator(".filing-main .go button").click()
    page.wait_for_url("**/track/case")
    for _ in range(20):
        if page.locator(".status", has_text="承办单位").count():
            break
        page.wait_for_timeout(200)
        page.reload()
    expect(page.locator(".status")).to_contain_text("城关区")


@pytest.mark.parametrize("scripted", [False, True], ids=["without JavaScript", "with JavaScript"])
def test_a_petition_for_oneself(visit: Visit, gateway: Open, papers: tuple[Path, ...], scripted: bool) -> None:
    page = visit(java_script_enabled=scripted)
    wrong: list[str] = []

    def look(_: str) -> None:
        if scripted:
            wrong.extend(faults(page))

    citizen = Citizen(page, scripted=scripted, files=papers, look=look)
    page.goto("/")
    page.get_by_role("link", name="我要反映").first.click()
    citizen.begin()
    citizen.walk("/file/person/1")

    # A wrong number: said at the top and at the field, and everything typed is still there.
    citizen.fill({**ZHANG, "id_no": WRONG_ID})
    page.locator(".filing-main .go button").click()
    expect(page).to_have_title(re.compile("^错误："))
    assert len(citizen.problems()) == 1
    expect(page.locator("[name=id_no]")).to_have_value(WRONG_ID)
    expect(page.locator("[name=name]")).to_have_value(ZHANG["name"])
    expect(page.locator("[name=address]")).to_have_value(ZHANG["address"])
    expect(page.locator("#id_no")).to_have_attribute("aria-invalid", "true")
    if scripted:
        expect(page.locator("[data-errors]")).to_be_focused()
    look("")
    page.locator(".errors a").click()
    expect(page.locator("#id_no")).to_be_focused()

    citizen.walk("/file/check")
    look("")
    answers = page.locator(".answers")
    for words in (ZHANG["name"], "城关区", STORY["title"], papers[0].name, papers[1].name, "2 份"):
        expect(answers.filter(has_text=words).first).to_be_visible()

    # Changing one answer leads back here, with the others as they were.
    page.get_by_role("link", name=re.compile(r"修改\s*标题")).click()
    page.locator("[name=title]").fill("演示小区3号楼供暖不足")
    page.get_by_role("button", name="保存，回到核对页").click()
    page.wait_for_url("**/file/check")
    expect(answers.filter(has_text="演示小区3号楼供暖不足").first).to_be_visible()
    expect(answers.filter(has_text=papers[1].name)).to_be_visible()

    number, code = submit_twice(page, gateway)
    look("")
    follow(page, number, code)
    expect(page.locator("h1")).to_have_text("演示小区3号楼供暖不足")
    look("")

    page.get_by_role("link", name="补充材料或情况").click()
    look("")
    page.locator("[name=content]").fill("10月20日又测了一次，仍是14度。")
    page.locator("#files").set_input_files(papers[0])
    page.get_by_role("button", name="提交补充").click()
    page.wait_for_url("**/track/case**")
    expect(page.locator(".note-ok")).to_contain_text("已收到您的补充")
    look("")
    assert wrong == []


def test_a_large_file_shows_its_progress_and_one_too_large_is_told(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    citizen = Citizen(page)
    citizen.begin()
    citizen.walk("/file/evidence")
    link = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_500_000}
    link.send("Network.enable")
    link.send("Network.emulateNetworkConditions", slow)
    video, large = tmp_path / "现场录像.png", tmp_path / "太大.png"
    video.write_bytes(PNG + b"\0" * 1_500_000)
    large.write_bytes(PNG + b"\0" * (3 << 20))
    page.locator("#files").set_input_files([video, large])
    lines = page.locator("#uploads > li")
    expect(lines.filter(has_text=video.name)).to_contain_text(re.compile(r"\d+%"))
    expect(lines.filter(has_text=large.name)).to_contain_text("太大了，每份最大 2 MB")
    # Going on while a file is under way would lose it: the page says so and stays.
    page.locator(".filing-main .go button").click()
    expect(page.locator("#uploads")).to_contain_text("材料还在上传")
    expect(page.locator("#file-list > li")).to_have_count(1)
    expect(page.locator("#file-list")).to_contain_text("1.4 MB")
    assert faults(page) == []
    page.get_by_role("button", name=re.compile(r"删除\s*现场录像")).click()
    expect(page.locator("#file-list > li")).to_have_count(0)


def test_as_agent_of_a_neighbour(visit: Visit, gateway: Open, papers: tuple[Path, ...]) -> None:
    page = visit()
    wrong: list[str] = []

    def look(path: str) -> None:
        if path.startswith(("/file/pe", "/file/evidence")):
            wrong.extend(faults(page))

    citizen = Citizen(page, people=(ZHANG, LI), manner="agent", files=papers[:1], look=look)
    citizen.begin()
    citizen.walk("/file/check")
    assert citizen.seen.count("/file/person/1") == citizen.seen.count("/file/person/2") == 1
    people = page.locator(".answers").filter(has_text="谁来反映")
    expect(people).to_contain_text("代别人反映")
    expect(people.locator(".answer").filter(has_text="被代理人")).to_contain_text(ZHANG["name"])
    expect(people.locator(".answer").filter(has_text=re.compile("^代理人"))).to_contain_text(LI["name"])
    submit_twice(page, gateway)
    assert wrong == []


def test_jointly_with_others_and_without_javascript(visit: Visit, gateway: Open) -> None:
    page = visit(java_script_enabled=False)
    citizen = Citizen(page, people=(ZHANG, LI), manner="joint", scripted=False)
    citizen.begin()
    citizen.walk("/file/people")
    # One alone is not joint: the page says so.
    page.locator("button[name=do][value=next]").click()
    assert citizen.problems()
    citizen.walk("/file/check")
    people = page.locator(".answers").filter(has_text="谁来反映")
    expect(people.locator(".answer").filter(has_text="代表")).to_contain_text(ZHANG["name"])
    expect(people.locator(".answer").filter(has_text="联名人")).to_contain_text(LI["name"])
    expect(people).to_contain_text("12")
    number, code = submit_twice(page, gateway)
    follow(page, number, code)


def test_what_is_typed_is_kept_for_this_device_and_no_other(visit: Visit) -> None:
    page = visit()
    citizen = Citizen(page)
    citizen.begin()
    citizen.walk("/file/story")
    citizen.fill(STORY)
    page.locator(".filing-main .go button").click()
    page.goto("/file")
    page.get_by_role("link", name="接着填").click()
    assert citizen.path == "/file/requests"
    page.goto("/file/story")
    expect(page.locator("[name=title]")).to_have_value(STORY["title"])
    page.get_by_role("button", name="不填了，删除已填内容").click()
    expect(page.locator(".note-ok")).to_contain_text("已删除")
    other = visit()
    other.goto("/file")
    expect(other.get_by_role("link", name="接着填")).to_have_count(0)


def test_a_wrong_code_opens_nothing_and_keeps_what_was_typed(visit: Visit, watch: Watch) -> None:
    page = visit()
    page.goto("/track")
    page.locator("[name=case_no]").fill("620000-W-20260101-00001-A")
    page.locator("[name=query_code]").fill("0000-0000-0000")
    page.locator(".filing-main .go button").click()
    expect(page.locator(".errors")).to_be_visible()
    expect(page.locator("[name=case_no]")).to_have_value("620000-W-20260101-00001-A")
    assert faults(page) == []
    watch.refused.clear()  # how it is said in HTTP is for tests/gateway to check
