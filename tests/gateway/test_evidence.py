"""Evidence: files are judged by their bytes, with and without a script, and may be taken out again."""

from __future__ import annotations

import json
import re

import pytest

from petition.attachment import AttachmentRole
from petition.people import Role
from tests.fakes.filing import PERSON, PHOTO, STORY, begin, submit
from tests.fakes.portal import Browser, RememberingIntake

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")


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
