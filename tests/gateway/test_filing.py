"""Filing without scripts: from the first page to the receipt, with everything people do on the way."""

from __future__ import annotations

import asyncio
import re

import pytest

from gateway.drafts import COOKIE
from gateway.house import House
from petition.errors import Unavailable
from petition.petition import Form, Purpose
from store import drafts
from tests.fakes.filing import PERSON, PHOTO, STORY, begin, fill, submit
from tests.fakes.portal import CODE, Browser, RememberingIntake

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")


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
    # The token of a form in parts is left to its handler: pages without files take no such form.
    assert (await browser.send("/file/story", [], STORY)).status == 400
    assert (await browser.get("/file/story")).value("title") == ""
    browser._token = "forged"
    assert (await browser.send("/file/evidence", [("a.jpg", PHOTO)])).status == 403
    late = browser.parts([("a.jpg", PHOTO)])
    late.add_field("_csrf", "after the file")
    assert (await browser.client.post("/file/evidence", data=late)).status == 403
    assert "a.jpg" not in (await browser.get("/file/evidence")).words


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
