"""The pages around the filing: home, guides, places, reading comfort, and how long drafts live."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.drafts import COOKIE, IDLE, RECEIPT, DraftDesk, StoredDrafts
from gateway.house import House
from gateway.pages.display import safe_path
from petition import clock
from store import drafts
from tests.fakes.filing import begin
from tests.fakes.portal import Browser, Client, RememberingIntake, portal_app

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

Connect = Callable[[web.Application], Awaitable[Client]]


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
