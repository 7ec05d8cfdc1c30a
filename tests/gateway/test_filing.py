"""Filing without scripts: from the first page to the receipt, with everything people do on the way."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from config.settings import Settings
from gateway.drafts import COOKIE, IDLE, RECEIPT, DraftDesk, StoredDrafts
from gateway.house import House, open_house
from gateway.pages.display import safe_path
from petition import clock
from petition.attachment import AttachmentRole
from petition.errors import Unavailable
from petition.people import Role
from petition.petition import Form, Purpose
from store import drafts
from tests.fakes.portal import CODE, Browser, Client, RememberingIntake, portal_app

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

Connect = Callable[[web.Application], Awaitable[Client]]

PERSON = {
    "name": "张示例",
    "id_type": "RESIDENT_ID",
    "id_no": "620199198503120012",
    "phone": "15400000001",
    "address": "兰州市城关区示例街道演示小区1号楼",
}
STORY = {"title": "反映演示小区物业公共收益不公开", "content": "物业自2026年1月起每平方米多收0.6元,公共收益从未公示。"}
PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(400)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house in a fresh folder; tests differ by their browsers."""
    opened = open_house(Settings(data=tmp_path_factory.mktemp("house"), min_free=0, max_upload=200_000))
    yield opened
    opened.close()


@pytest.fixture
def intake() -> RememberingIntake:
    return RememberingIntake()


@pytest.fixture
async def browser(house: House, intake: RememberingIntake, aiohttp_client: Connect) -> Browser:
    return Browser(await aiohttp_client(portal_app(house, intake)))


async def begin(browser: Browser, manner: str = "self") -> None:
    """The first two pages."""
    await browser.get("/file")
    assert (await browser.post("/file")).path == "/file/who"
    await browser.post("/file/who", {"manner": manner})


async def fill(browser: Browser) -> None:
    """All pages of a good petition for oneself."""
    await begin(browser)
    for path, fields, leads_to in (
        ("/file/person/1", PERSON, "/file/region"),
        ("/file/region", {"region": "620102"}, "/file/scene"),
        ("/file/scene", {"occur_place": "演示小区", "year": "2026", "month": "1", "day": ""}, "/file/purpose"),
        ("/file/purpose", {"purpose": "APPEAL"}, "/file/story"),
        ("/file/story", STORY, "/file/requests"),
        ("/file/requests", {"requests": "公开账目\n退还多收费用"}, "/file/accused"),
        ("/file/accused", {"accused_unit": "甘肃示例物业有限公司"}, "/file/wishes"),
        ("/file/wishes", {"is_public": "yes", "confidential": "no"}, "/file/evidence"),
    ):
        page = await browser.post(path, fields)
        assert (page.status, page.path) == (200, leads_to), page.errors
    page = await browser.send("/file/evidence", [("现场照片.jpg", PHOTO)], {"do": "add"})
    assert "现场照片.jpg" in page.words
    assert (await browser.send("/file/evidence", [], {"do": "next"})).path == "/file/check"


async def submit(browser: Browser) -> str:
    page = await browser.get("/file/check")
    return (await browser.post("/file/check", {"notice": page.value("notice")})).path


async def test_a_petition_goes_from_the_first_page_to_the_receipt(
    browser: Browser, intake: RememberingIntake, house: House
) -> None:
    await fill(browser)
    check = await browser.get("/file/check")
    assert not check.errors
    for words in (
        "张示例",
        "620199198503120012",
        "甘肃省兰州市城关区",
        "2026年1月",
        "退还多收费用",
        "现场照片.jpg",
        "请求解决问题",
    ):
        assert words in check.words
    assert await submit(browser) == "/file/receipt"
    (arrival,) = intake.arrivals
    assert (arrival.form, arrival.statement.purpose) == (Form.WEB, Purpose.APPEAL)
    assert arrival.statement.problem_region == "620102"
    assert arrival.statement.privacy_notice_version == house.settings.notice_version
    assert intake.bodies == [PHOTO]
    assert (arrival.uploads[0].name, arrival.uploads[0].media_type) == ("现场照片.jpg", "image/jpeg")
    receipt = await browser.get("/file/receipt")
    assert "620000-W-20261120-00001-7" in re.sub(r"\s", "", receipt.words)
    assert f'aria-label="查询码 {CODE}"' in receipt.text
    assert receipt.text.count("<time datetime=") == 3
    assert 'src="data:image/svg+xml' in receipt.text
    saved = await browser.get("/file/receipt.txt")
    assert CODE in saved.text
    assert "/track?no=620000W20261120000017" in saved.text


async def test_the_answers_are_forgotten_after_the_receipt(browser: Browser, house: House) -> None:
    await fill(browser)
    await submit(browser)
    token = browser.client.session.cookie_jar.filter_cookies(browser.client.make_url("/file"))[COOKIE].value
    draft = house.store.read_now(lambda tx: drafts.load(tx, token))
    assert draft is not None
    assert (draft.answers, draft.uploads) == ({}, ())
    assert (await browser.get("/file/story")).path == "/file/receipt"


async def test_a_double_click_registers_once(browser: Browser, intake: RememberingIntake) -> None:
    await fill(browser)
    notice = (await browser.get("/file/check")).value("notice")
    pages = await asyncio.gather(*(browser.post("/file/check", {"notice": notice}) for _ in range(4)))
    assert {page.path for page in pages} == {"/file/receipt"}
    assert len(intake.ids) == 1
    before = len(intake.arrivals)
    again = await browser.post("/file/check", {"notice": notice})
    assert again.path == "/file/receipt"
    assert len(intake.arrivals) == before


async def test_when_nothing_can_be_promised_nothing_typed_is_lost(browser: Browser, intake: RememberingIntake) -> None:
    await fill(browser)
    notice = (await browser.get("/file/check")).value("notice")
    intake.refusal = Unavailable()
    assert (await browser.post("/file/check", {"notice": notice})).status == 503
    assert await submit(browser) == "/file/receipt"
    assert len(intake.ids) == 1


async def test_a_renewed_notice_is_shown_before_it_counts(browser: Browser, intake: RememberingIntake) -> None:
    await fill(browser)
    page = await browser.post("/file/check", {"notice": "2020-01"})
    assert "刚刚更新" in page.words
    assert intake.arrivals == []


async def test_an_unfinished_petition_says_what_is_missing(browser: Browser, intake: RememberingIntake) -> None:
    await begin(browser)
    check = await browser.get("/file/check")
    assert len(check.errors) >= 5
    assert (await browser.post("/file/check", {"notice": check.value("notice")})).path.startswith("/file/check")
    assert intake.arrivals == []
    await browser.post("/file/story", {**STORY, "from": "check"})
    assert "请用一句话写出标题。" not in (await browser.get("/file/check")).errors


@pytest.mark.parametrize(
    ("path", "fields", "kept", "errors"),
    [
        ("/file/story", {"title": "", "content": "只写了经过,还没有写标题,不能丢。"}, "content", 1),
        ("/file/story", {"title": "示例<script>alert(1)</script>", "content": ""}, "title", 1),
        ("/file/story", {"title": "题" * 300, "content": "太短"}, "title", 2),
        ("/file/story", {"title": "好", "content": "𠮷先生家的暖气不热😀" * 2000}, "content", 1),
        ("/file/scene", {"occur_place": "演示小区", "year": "2999", "month": "", "day": ""}, "occur_place", 1),
        ("/file/requests", {"requests": "退" * 600}, "requests", 1),
        ("/file/person/1", {**PERSON, "name": "长" * 300, "id_no": "620199198503120013"}, "id_no", 2),
        ("/file/person/1", {**PERSON, "phone": "不想留"}, "phone", 1),
    ],
)
async def test_what_was_typed_is_kept_beside_the_error(
    browser: Browser, path: str, fields: dict[str, str], kept: str, errors: int
) -> None:
    await begin(browser)
    page = await browser.post(path, fields)
    assert page.status == 200
    assert page.path == f"{path}?fix=1"
    assert len(page.errors) == errors
    assert f"有 {errors} 处需要修改" in page.words
    assert page.value(kept) == fields[kept]
    assert "<script>alert" not in page.text
    assert (await browser.get(path)).value(kept) == fields[kept]


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\u202e", "\u2066", "\ufffd"])
async def test_hidden_signs_are_shown_where_they_stand(browser: Browser, sign: str) -> None:
    await begin(browser)
    page = await browser.post("/file/story", {**STORY, "title": f"物业{sign}多收费"})
    assert page.errors == ["标题的第3个字是无法显示的控制符（显示为\ufffd），请删掉它。"]
    assert page.value("title") == "物业\ufffd多收费"
    good = await browser.post("/file/story", STORY)
    assert good.path == "/file/requests"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"title=%ff%fe&content=%00%00", "application/x-www-form-urlencoded"),
        (b"\xff\xfe\xfd", "application/x-www-form-urlencoded"),
        (b"title=1" + b"&x=1" * 2000, "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
    ],
)
async def test_broken_forms_never_break_the_house(browser: Browser, body: bytes, kind: str) -> None:
    await begin(browser)
    token = {"X-CSRF-Token": browser._token, "Content-Type": kind}
    for path in ("/file/story", "/file/person/1", "/file/region", "/file/evidence", "/track"):
        response = await browser.client.post(path, data=body, headers=token)
        assert response.status < 500, path


async def test_pages_need_a_draft_and_a_form_of_ours(browser: Browser) -> None:
    for page in ("who", "people", "person/1", "region", "story", "evidence", "check", "receipt"):
        assert (await browser.get(f"/file/{page}")).path == "/file"
    await begin(browser)
    browser._token = "forged"
    assert (await browser.post("/file/story", STORY)).status == 403
    assert (await browser.send("/file/evidence", [("a.jpg", PHOTO)])).status == 403
    late = browser.parts([("a.jpg", PHOTO)])
    late.add_field("_csrf", "after the file")
    assert (await browser.client.post("/file/evidence", data=late)).status == 403
    assert "还没有添加" not in (await browser.get("/file/evidence")).errors


async def test_an_anonymous_petition_skips_what_nobody_needs(browser: Browser, intake: RememberingIntake) -> None:
    await begin(browser, "anonymous")
    assert (await browser.get("/file/people")).path == "/file/region"
    assert (await browser.post("/file/region", {"region": "621102"})).path == "/file/scene"
    assert (await browser.post("/file/scene", {})).path == "/file/story"
    await browser.post("/file/story", STORY)
    await browser.post("/file/requests", {"requests": ""})
    assert (await browser.post("/file/accused", {})).errors == ["请写明检举控告的单位或人，至少写一项。"]
    assert (await browser.post("/file/accused", {"accused_name": "某负责人"})).path == "/file/evidence"
    assert "一律保密" in (await browser.get("/file/check")).words
    assert await submit(browser) == "/file/receipt"
    said = intake.arrivals[0].statement
    assert (said.is_anonymous, said.confidential, said.petitioners) == (True, True, ())


async def test_people_who_join_are_added_and_removed(browser: Browser) -> None:
    await begin(browser, "joint")
    assert (await browser.post("/file/person/1", PERSON)).path == "/file/people"
    assert (await browser.post("/file/people", {"do": "add", "headcount": "18"})).path == "/file/person/2"
    page = await browser.post("/file/person/2", {"name": "王样本", "role": "COSIGNER", "id_type": "RESIDENT_ID"})
    assert "王样本" in page.words
    assert page.value("headcount") == "18"
    page = await browser.post("/file/person/2/remove")
    assert "王样本" not in page.words
    assert "第2位的信息还没填好。" in (await browser.post("/file/people", {"do": "next", "headcount": "18"})).errors
    await browser.post("/file/person/1/remove")
    assert "张示例" in (await browser.get("/file/people")).words
    for place in range(2, 8):
        await browser.post(f"/file/person/{place}", {**PERSON, "role": "REPRESENTATIVE"})
    assert any("代表最多5人" in line for line in (await browser.get("/file/people?fix=1")).errors)
    assert (await browser.get("/file/person/99")).path == "/file/people"


async def test_an_agent_fills_in_both(browser: Browser, intake: RememberingIntake) -> None:
    await begin(browser, "agent")
    page = await browser.get("/file/people")
    assert "当事人的信息" in page.words
    page = await browser.post("/file/person/1", {**PERSON, "phone": ""})
    assert page.path == "/file/person/2"
    page = await browser.post("/file/person/2", {**PERSON, "name": "钱代理", "phone": ""})
    assert page.errors == ["请填写联系电话，办理单位要用它联系您。"]
    assert (await browser.post("/file/person/2", {**PERSON, "name": "钱代理"})).path == "/file/people"
    await browser.send("/file/evidence", [("委托书.jpg", PHOTO)], {"role": "MANDATE", "do": "add"})
    for path, fields in (
        ("/file/region", {"region": "620982"}),
        ("/file/purpose", {"purpose": "APPEAL"}),
        ("/file/story", STORY),
        ("/file/requests", {"requests": "恢复低保"}),
        ("/file/wishes", {"is_public": "no", "confidential": "no"}),
    ):
        await browser.post(path, fields)
    assert await submit(browser) == "/file/receipt"
    arrival = intake.arrivals[0]
    assert [each.role for each in arrival.statement.petitioners] == [Role.PRINCIPAL, Role.AGENT]
    assert arrival.uploads[0].role is AttachmentRole.MANDATE


async def test_files_are_judged_by_their_bytes_and_can_be_taken_out(browser: Browser) -> None:
    await begin(browser)
    files = [("照片.png", PHOTO), ("程序.jpg", b"MZ\x90\x00" + bytes(200)), ("空.txt", b""), ("大.txt", b"a" * 200_001)]
    page = await browser.send("/file/evidence", [*files, ("../../说明\u202e.txt", "说明".encode("gb18030"))])
    assert len(page.errors) == 3
    assert "照片.png" in page.words
    assert "说明.txt" in page.words
    assert "../" not in page.words
    (first, *_) = re.findall(r"/file/evidence/(\d+)/remove", page.text)
    assert "照片.png" not in (await browser.post(f"/file/evidence/{first}/remove")).words
    assert (await browser.post("/file/evidence/999999/remove")).status == 200


async def test_a_script_gets_each_file_as_json(browser: Browser) -> None:
    await begin(browser)
    ask = {"Accept": "application/json"}
    page = await browser.send("/file/evidence", [("照片.jpg", PHOTO)], headers=ask)
    assert [each["name"] for each in json.loads(page.text)["files"]] == ["照片.jpg"]
    page = await browser.send("/file/evidence", [("程序.exe", b"MZ" + bytes(99))], headers=ask)
    answer = json.loads(page.text)
    assert page.status == 422
    assert len(answer["files"]) == len(answer["problems"]) == 1


async def test_places_are_found_step_by_step_and_by_name(browser: Browser) -> None:
    await begin(browser)
    assert "兰州市" in (await browser.get("/file/region")).words
    assert "北京市" in (await browser.get("/file/region?at=0")).words
    assert "酒泉路街道" in (await browser.get("/file/region?at=620102")).words
    assert "甘肃省兰州市城关区" in (await browser.get("/file/region?q=城关区")).words
    assert "没有找到" in (await browser.get("/file/region?q=不存在的地方")).words
    assert (await browser.get("/file/region?at=甲乙丙&q=" + "长" * 500)).status == 200
    assert (await browser.post("/file/region", {"region": "999999"})).errors == ["请选择问题发生在哪里。"]
    found = json.loads((await browser.get("/regions.json?q=兰州城关")).text)
    assert {"code": "620102", "name": "甘肃省兰州市城关区"} in found
    assert json.loads((await browser.get("/regions.json")).text) == []


async def test_a_half_filled_petition_can_be_taken_up_or_thrown_away(browser: Browser) -> None:
    await begin(browser)
    await browser.post("/file/person/1", PERSON)
    page = await browser.get("/file")
    assert "接着填" in page.words
    assert 'href="/file/region"' in page.text
    assert (await browser.post("/file/discard")).path == "/file?discarded=1"
    assert (await browser.get("/file/story")).path.startswith("/file")
    assert "接着填" not in (await browser.get("/file")).words


async def test_the_self_service_zone_is_told_apart(browser: Browser, intake: RememberingIntake) -> None:
    page = await browser.get("/file?via=kiosk")
    await browser.post("/file", {"via": page.value("via")})
    answers = {**PERSON}
    await browser.post("/file/who", {"manner": "self"})
    await browser.post("/file/person/1", answers)
    for path, fields in (
        ("/file/region", {"region": "620702"}),
        ("/file/purpose", {"purpose": "CONSULT"}),
        ("/file/story", STORY),
        ("/file/wishes", {"is_public": "no", "confidential": "no"}),
    ):
        await browser.post(path, fields)
    assert await submit(browser) == "/file/receipt"
    assert intake.arrivals[0].form is Form.KIOSK


async def test_two_tabs_do_not_overwrite_each_other(browser: Browser) -> None:
    await begin(browser)
    await asyncio.gather(
        browser.post("/file/story", STORY),
        browser.post("/file/requests", {"requests": "公开账目"}),
        browser.post("/file/scene", {"occur_place": "演示小区"}),
    )
    assert (await browser.get("/file/story")).value("title") == STORY["title"]
    assert (await browser.get("/file/requests")).value("requests") == "公开账目"
    assert (await browser.get("/file/scene")).value("occur_place") == "演示小区"


@pytest.mark.parametrize(("receipt", "age", "found"), [
    (False, IDLE - timedelta(minutes=1), True),
    (False, IDLE + timedelta(minutes=1), False),
    (True, RECEIPT - timedelta(minutes=1), True),
    (True, RECEIPT + timedelta(minutes=1), False),
])  # fmt: skip
async def test_drafts_and_receipts_end_in_time(house: House, receipt: bool, age: timedelta, found: bool) -> None:
    stored = StoredDrafts(house.store)
    token = await stored.create({})
    if receipt:
        await house.store.write(lambda tx: drafts.submit(tx, token, 1, "620000W20261120000017", {"case_no": "x"}))

    def later() -> datetime:
        return clock.now() + age

    request = make_mocked_request("GET", "/file", headers={"Cookie": f"{COOKIE}={token}"})
    draft = await DraftDesk(stored, later, False).find(request)
    assert (draft is not None) is found


async def test_every_page_reads_well(browser: Browser) -> None:
    await begin(browser)
    paths = ["/", "/contact", "/guide", "/guide/flow", "/privacy", "/file", "/track"]
    paths += [
        f"/file/{page}"
        for page in "who person/1 region scene purpose story requests accused wishes evidence check".split()
    ]
    for path in paths:
        page = await browser.get(path)
        assert page.status == 200, path
        assert page.path == path
        assert page.text.count("<h1") == 1, path
        assert '<html lang="zh-CN"' in page.text
        assert not re.search(r"\sstyle=|\son[a-z]+=|<script(?![^>]*src=)", page.text), path
        for target in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
            assert (await browser.client.get(target)).status == 200, target
        ids = re.findall(r'\sid="([^"]+)"', page.text)
        assert len(ids) == len(set(ids)), path
        for wanted in re.findall(r'<label[^>]* for="([^"]+)"', page.text):
            assert wanted in ids, (path, wanted)


async def test_home_shows_open_doors_only(house: House, intake: RememberingIntake, aiohttp_client: Connect) -> None:
    settings = house.settings.model_copy(update={"channels": ("web", "email")})
    page = await Browser(await aiohttp_client(portal_app(replace(house, settings=settings), intake))).get("/")
    assert "发邮件" in page.words
    assert "发短信" not in page.words
    assert "视频接访" not in page.words
    assert "15 日内" in page.words


async def test_large_text_is_kept_and_leads_back(browser: Browser) -> None:
    await browser.get("/guide")
    page = await browser.post("/display", {"text": "large", "back": "/guide"})
    assert page.path == "/guide"
    assert 'data-text="large"' in page.text
    page = await browser.post("/display", {"text": "normal", "theme": "dark", "back": "//elsewhere.example.com/"})
    assert page.path == "/"
    assert "data-text" not in page.text
    assert 'data-theme="dark"' in page.text


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("/file?x=1", "/file?x=1"),
        ("//example.com", "/"),
        ("/\\example.com", "/"),
        ("https://example.com", "/"),
        ("", "/"),
        ("/a\r\nb", "/"),
        ("/" + "a" * 600, "/"),
    ],
)
def test_the_way_back_stays_in_the_house(path: str, safe: str) -> None:
    assert safe_path(path) == safe
