"""Filling in (填写): good answers, and the ways through the pages that most tests take."""

from __future__ import annotations

from tests.fakes.portal import Browser

PERSON = {
    "name": "张示例",
    "id_type": "RESIDENT_ID",
    "id_no": "620199198503120012",
    "phone": "15400000001",
    "address": "兰州市城关区示例街道演示小区1号楼",
}
STORY = {"title": "反映演示小区物业公共收益不公开", "content": "物业自2026年1月起每平方米多收0.6元,公共收益从未公示。"}
PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(400)


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
