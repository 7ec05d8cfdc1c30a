"""Queues, search and what stays hidden: the pages of the desk without scripts."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from aiohttp import web

from petition.arrival import Outcome
from petition.petition import Lane, Purpose
from petition.workflow import Status
from tests.casework.samples import HOUSING, PERSON, put
from tests.fakes.workplace import Browser, Client, Room, url

Connect = Callable[[web.Application], Awaitable[Client]]
# aiohttp-jinja2 keeps its context under a plain string.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")


async def test_queues_counts_and_lamps(room: Room, seated: Browser) -> None:
    put(room.store, title="新来的一件")
    put(room.store, title="超期的一件", at=room.at - timedelta(days=40))
    put(room.store, title="待核的一件", standing=Outcome.HELD, status=Status.RECEIVED, reason="看不清", orders=())
    page = await seated.get("/desk")
    assert page.titles == ["超期的一件", "新来的一件"]
    assert "已超期" in page.text
    assert re.findall(r'class="count[^>]*>(\d+)', page.body) == ["1", "2", "0"]
    page = await seated.get("/desk?queue=held")
    assert "看不清" in page.text
    assert (await seated.get("/desk?late=yes")).titles == ["超期的一件"]


@pytest.mark.parametrize(
    "query", ["?queue=nothing", "?urgency=x&form=y&purpose=z", "?category=%27%3B--", "?category=99", "?late=maybe"]
)
async def test_a_strange_filter_is_no_error(room: Room, seated: Browser, query: str) -> None:
    put(room.store)
    assert (await seated.get(f"/desk{query}")).status == 200


async def test_a_hidden_case_looks_like_none_and_the_try_is_on_the_trail(room: Room, aiohttp_client: Connect) -> None:
    browser = Browser(room, await aiohttp_client(room.app()))
    handler = room.hire("chengban", "unit_handler", region="620102", unit="620102-housing")
    await browser.sign_in(handler)
    sealed = put(room.store, lane=Lane.SEALED, unit="620102-housing")
    accused = put(room.store, accused=(HOUSING,), unit="620102-housing", title="反映住建局")
    none = await browser.get("/desk/cases/620000W2026112000099X")
    for case in (sealed, accused):
        page = await browser.get(url(case))
        assert (page.status, page.text) == (404, none.text)
        assert [action for action, _ in room.trail(case)] == ["denied"]
    assert (await browser.get("/desk?queue=all")).titles == []


async def test_a_sealed_case_is_read_on_the_trail_and_shows_no_title_in_lists(
    room: Room, aiohttp_client: Connect
) -> None:
    browser = Browser(room, await aiohttp_client(room.app()))
    clerk = room.hire("zhuanban", "discipline_clerk", unit="620000-discipline", lanes=(Lane.SEALED,))
    await browser.sign_in(clerk)
    case = put(room.store, lane=Lane.SEALED, purpose=Purpose.ACCUSATION, title="检举某人收受礼金")
    assert "收受礼金" not in (await browser.get("/desk")).body
    assert "收受礼金" in (await browser.get(url(case))).body
    assert room.trail(case) == [("read_sealed", "read")]


async def test_what_people_wrote_is_text_and_never_a_tag(room: Room, seated: Browser) -> None:
    nasty = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    case = put(room.store, title=nasty[:60], content=nasty, occur_place=nasty, requests=(nasty,), petitioners=(PERSON,))
    for path in ("/desk", url(case), url(case, "/correct")):
        body = (await seated.get(path)).body
        assert "<script>alert" not in body
        assert "<img src=x" not in body
    page = await seated.post("/desk/search", {"q": nasty})
    assert "<script>alert" not in page.body


async def test_no_page_has_inline_script_or_style(room: Room, seated: Browser) -> None:
    case = put(room.store)
    for path in ("/desk", url(case), url(case, "/correct"), url(case, "/reroute"), "/desk/sign-in"):
        body = (await seated.get(path)).body
        assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son[a-z]+=", body), path


async def test_search_by_number_goes_to_the_case(room: Room, seated: Browser) -> None:
    case = put(room.store)
    await seated.get("/desk")
    shown = f"{case.case_no[:6]}-{case.case_no[6].lower()} {case.case_no[7:]}"
    assert (await seated.post("/desk/search", {"q": shown})).path == url(case, "?queue=all")


async def test_search_by_phone_is_a_post_and_audited(room: Room, seated: Browser) -> None:
    put(room.store, title="找得到的")
    await seated.get("/desk")
    page = await seated.post("/desk/search", {"q": "154 0000 0001"})
    assert (page.path, page.titles) == ("/desk/search", ["找得到的"])
    action, told = room.trail()[0]
    assert (action, "0001" in told, "15400000001" in told) == ("search", True, False), told
    for text in ("", "张示例"):
        await seated.get("/desk")
        assert (await seated.post("/desk/search", {"q": text})).status in (200, 404)


@pytest.mark.parametrize(("role", "words"), [("auditor", "不查阅信访件"), ("admin", "不查阅信访件")])
async def test_administrators_see_no_case(room: Room, aiohttp_client: Connect, role: str, words: str) -> None:
    browser = Browser(room, await aiohttp_client(room.app()))
    put(room.store)
    page = await browser.sign_in(room.hire("guanli", role))
    assert words in page.text
    assert "data-search" not in page.body
    assert (await browser.post("/desk/search", {"q": "15400000001"})).status == 403
