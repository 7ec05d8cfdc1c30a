"""The hotline seat without scripts: a call, its work order, the caller's earlier cases, the receipt, the callback."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web

from casework.calls import Calls
from channels.switchboard import Call
from config.reference import Reference
from gateway.seat_feed import SeatFeed
from gateway.seats import Seats
from gateway.switchboard import SeatBoard
from normalizer import pipeline
from normalizer.archive import Archive
from normalizer.governor import Governor
from normalizer.intake import IntakeDesk
from normalizer.pipeline import ReadingParts
from petition.petition import Form, Lane
from petition.workflow import Status
from store import callbacks, calls, petitions
from store.petitions import Case
from store.reconciliation import reconcile
from tests.casework.samples import PERSON, parts_of, put
from tests.fakes.workplace import Browser, Client, Page, Room

Connect = Callable[[web.Application], Awaitable[Client]]
# aiohttp-jinja2 keeps its context under a plain string.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

NUMBER, MASKED = "+8615400000001", "154****0001"
STORY = {"content": "三号楼两周没有暖气，打过物业电话没有用。", "kind": "求助", "caller.name": "张示例"}
WHY = {"why": "contact", "why_words": ""}


@dataclass
class Hotline:
    """A seat's browser, the switchboard and the room behind them."""

    room: Room
    browser: Browser
    board: SeatBoard
    app: web.Application

    async def ring(self, call_id: str = "c1", **more: Any) -> bool:
        values: dict[str, Any] = {"channel": "voice", "number": NUMBER, "line": "12345", "at": self.room.at}
        return await self.board.ring(Call(id=call_id, **{**values, **more}))

    async def answer(self) -> Page:
        """Ring, and answer: the page of the sheet."""
        await self.ring()
        page = await self.browser.get("/desk/seat")
        path = re.findall(r'action="(/desk/seat/calls/\d+/take)"', page.body)[0]
        return await self.browser.post(path)

    async def save(self, page: Page, base: int, **fields: str) -> dict[str, Any]:
        """What the script sends each second."""
        data = {"csrf": page.hidden("csrf"), "version": str(base), **fields}
        headers = {"Accept": "application/json"}
        async with self.browser.client.post(page.path, data=data, headers=headers) as answer:
            return {"status": answer.status, **await answer.json()}

    def cases(self, form: Form = Form.PHONE) -> list[Case]:
        return [case for case in self.room.store.read_now(lambda tx: list(petitions.every(tx))) if case.form is form]


@pytest.fixture(scope="session")
def verbs(reference: Reference) -> Calls:
    parts = parts_of(reference)
    return Calls(parts.permissions, parts.desk.engine)


@pytest.fixture
async def hotline(room: Room, reference: Reference, verbs: Calls, aiohttp_client: Connect) -> Hotline:
    """A seat that is signed in, on a house that reads at the door."""
    store = room.store
    reading = ReadingParts(regions=reference.regions, categories=reference.categories, words=reference.words)
    reader = pipeline.build(reading, Archive(store))
    intake = IntakeDesk(store, reader, Governor("inline"), "620000", lambda: room.at)
    feed = SeatFeed(store, verbs.sweep, life=0.3)
    seats = Seats(store, reference, room.place.gate, verbs, feed, intake, home="620000", texting=False)
    app = room.app()
    app.add_routes(seats.routes())
    browser = Browser(room, await aiohttp_client(app))
    await browser.sign_in(room.hire("zuoxi", "seat"), "/desk/seat")
    return Hotline(room, browser, SeatBoard(store, verbs, feed.wake), app)


async def test_a_call_is_shown_masked_and_answered_once(hotline: Hotline) -> None:
    page = await hotline.answer()
    assert page.status == 200
    assert MASKED in page.text
    assert "5400000001" not in page.body
    assert "没有提交的工单 1" in page.text
    other = hotline.room.hire("other", "seat")
    [sheet] = re.findall(r"/desk/seat/sheets/[\w-]+(?=/submit)", page.body)
    await hotline.browser.post("/desk/sign-out")
    await hotline.browser.sign_in(other, "/desk/seat")
    assert (await hotline.browser.get(sheet)).status == 404
    await hotline.browser.get("/desk/seat")
    assert (await hotline.browser.post("/desk/seat/calls/1/take")).status == 409
    for row in ("99", "x"):
        await hotline.browser.get("/desk/seat")
        assert (await hotline.browser.post(f"/desk/seat/calls/{row}/take")).status == 404


@pytest.mark.parametrize("role", ["screener", "unit_handler", "auditor"])
async def test_only_seats_see_the_seat(hotline: Hotline, role: str) -> None:
    page = await hotline.answer()
    await hotline.browser.post("/desk/sign-out")
    await hotline.browser.sign_in(hotline.room.hire("jiazi", role), "/desk")
    for path in ("/desk/seat", "/desk/seat/live", "/desk/seat/stream", "/desk/seat/callbacks/1", page.path):
        assert (await hotline.browser.get(path)).status == 403, path
    assert "话务台" not in (await hotline.browser.get("/desk")).text


async def test_the_draft_is_kept_and_comes_back(hotline: Hotline) -> None:
    page = await hotline.answer()
    told = await hotline.save(page, 1, content="三号楼没有", title="")
    assert (told["status"], told["version"], told["displaced"]) == (200, 2, 0)
    assert (await hotline.save(page, 2, content="三号楼没有暖气"))["version"] == 3
    # A second window still knows the first version: it learns of the other words, and loses none of its own.
    other = await hotline.save(page, 1, kind="求助")
    assert other["others"]["content"] == "三号楼没有暖气"
    both = await hotline.save(page, 1, content="楼道灯坏了")
    assert both["displaced"] == 1
    again = await hotline.browser.get(page.path)
    assert "楼道灯坏了</textarea>" in again.body
    assert "三号楼没有暖气" in again.text
    assert '<option value="求助" selected>' in again.body
    assert (await hotline.save(page, 9, unknown="x", csrf2="y"))["version"] == both["version"]


async def test_without_scripts_the_draft_is_kept_by_a_button_and_places_are_found(hotline: Hotline) -> None:
    page = await hotline.answer()
    page = await hotline.browser.post(page.path, {**STORY, "place_find": "城关区", "find": "yes"})
    assert "三号楼两周没有暖气" in page.body
    [code] = re.findall(r'value="(620102)"', page.body)
    page = await hotline.browser.post(page.path, {"place_region": code})
    assert re.search(r'value="620102" checked', page.body)
    answer = await hotline.browser.get("/desk/seat/regions.json?q=城关")
    assert json.loads(answer.body)[0]["code"]


async def test_a_work_order_is_submitted_once_and_read_to_the_caller(hotline: Hotline) -> None:
    page = await hotline.answer()
    fields = {
        **STORY,
        "demands": "恢复供暖\n\n退还暖气费",
        "place_region": "620102",
        "three_way.unit": "城关区住建局",
        "three_way.person": "李演示",
        "three_way.agreed": "yes",
        "three_way.note": "明日上门查看",
        "callback_wanted": "yes",
        "callback_wish": "后天上午",
    }
    receipt = await hotline.browser.post(f"{page.path}/submit", fields)
    assert receipt.path == page.path
    assert "请读给来电人听" in receipt.text
    assert "<ruby>" in receipt.body
    [case] = hotline.cases()
    assert (case.channel, case.petition.requests, case.region) == ("hotline", ("恢复供暖", "退还暖气费"), "620102")
    assert case.petition.petitioners[0].mobile == NUMBER
    assert "三方通话单位人员：李演示" in case.petition.content
    assert "坐席：zuoxi" in case.petition.content
    # A second click, a reload, a late save: the same receipt, nothing new.
    await hotline.browser.get("/desk/seat")
    again = await hotline.browser.post(f"{page.path}/submit", {**fields, "content": "别的话"})
    assert again.text == receipt.text
    assert (await hotline.save(page, 9, content="x"))["status"] == 409
    assert len(hotline.cases()) == 1
    [task] = hotline.room.store.read_now(callbacks.open_ones)
    assert (task.wish, task.case_no, task.number) == ("后天上午", case.case_no, NUMBER)
    call = hotline.room.store.read_now(lambda tx: calls.find(tx, "voice", "c1"))
    assert call is not None
    assert call.case_no == case.case_no
    balance = hotline.room.store.read_now(reconcile)["hotline"]
    assert (balance.received, balance.petitions, balance.gap) == (1, 1, 0)


async def test_two_clicks_at_the_same_moment_make_one_petition(hotline: Hotline) -> None:
    page = await hotline.answer()
    await hotline.save(page, 1, **STORY)
    data = {"csrf": page.hidden("csrf"), "version": "2"}

    async def click() -> int:
        async with hotline.browser.client.post(f"{page.path}/submit", data=data) as answer:
            return answer.status

    assert list(await asyncio.gather(click(), click(), click())) == [200, 200, 200]
    assert len(hotline.cases()) == 1


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"content": " "}, "content"),
        ({**STORY, "place_region": "999999"}, "place_region"),
        ({**STORY, "ended_at": "gestern"}, "ended_at"),
        ({**STORY, "started_at": "2026-11-20T09:00", "ended_at": "2026-11-20T08:00"}, "ended_at"),
        ({**STORY, "kind": "吐槽"}, "kind"),
        ({**STORY, "title": "a\u202eb"}, "title"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_everything_stays(
    hotline: Hotline, fields: dict[str, str], place: str
) -> None:
    page = await hotline.answer()
    wrong = await hotline.browser.post(f"{page.path}/submit", {**fields, "recording_id": "REC-77"})
    assert wrong.status == 422
    assert f'href="#{place}"' in wrong.body
    assert 'value="REC-77"' in wrong.body
    assert hotline.cases() == []


async def test_earlier_cases_show_no_content_until_they_are_opened(hotline: Hotline) -> None:
    known = put(hotline.room.store, title="旧件标题", petitioners=(PERSON,), status=Status.REGISTERED)
    put(hotline.room.store, title="保密旧件", lane=Lane.SEALED, petitioners=(PERSON,))
    page = await hotline.answer()
    assert "已登记" in page.text
    assert "旧件标题" not in page.body
    assert len(re.findall(r'/cases/(\w+)" target', page.body)) == 1, "a sealed case does not exist here"
    opened = await hotline.browser.get(f"{page.path}/cases/{known.case_no}")
    assert (opened.status, "旧件标题" in opened.body) == (200, True)
    assert ("read_on_call", "来电人此前的信访件") in hotline.room.trail(known)
    stranger = put(hotline.room.store, petitioners=())
    assert (await hotline.browser.get(f"{page.path}/cases/{stranger.case_no}")).status == 404


async def test_a_matter_in_procedure_is_joined_and_no_second_petition_is_made(hotline: Hotline) -> None:
    known = put(hotline.room.store, petitioners=(PERSON,))
    page = await hotline.answer()
    assert "正在办理中" in page.text
    page = await hotline.browser.post(page.path, {**STORY, "join": known.case_no})
    assert "提交后并入" in page.text
    receipt = await hotline.browser.post(f"{page.path}/submit", STORY)
    assert "已并入原件" in receipt.text
    assert hotline.cases() == []
    balance = hotline.room.store.read_now(reconcile)["hotline"]
    assert (balance.received, balance.linked, balance.gap) == (1, 1, 0)


async def test_nobody_joins_a_strangers_case(hotline: Hotline) -> None:
    stranger = put(hotline.room.store, petitioners=())
    page = await hotline.answer()
    assert (await hotline.browser.post(page.path, {"join": stranger.case_no})).status == 422
    assert "提交后并入" not in (await hotline.browser.get(page.path)).text


async def test_the_number_is_shown_for_a_reason(hotline: Hotline) -> None:
    page = await hotline.answer()
    assert (await hotline.browser.post(f"{page.path}/number", {"why": ""})).status == 422
    shown = await hotline.browser.post(f"{page.path}/number", WHY)
    assert NUMBER in shown.text
    action, told = hotline.room.trail()[0]
    assert (action, told) == ("read_number", f"联系信访人 {MASKED}")


async def test_a_missed_call_is_called_back(hotline: Hotline) -> None:
    await hotline.ring()
    await hotline.board.over("voice", "c1", hotline.room.at)
    page = await hotline.browser.get("/desk/seat")
    assert "来电没有接到" in page.text
    assert "还有2" in page.text
    page = await hotline.browser.get("/desk/seat/callbacks/1")
    assert (MASKED in page.text, NUMBER in page.text) == (True, False)
    page = await hotline.browser.post("/desk/seat/callbacks/1/take")
    assert "zuoxi" in page.text
    assert (await hotline.browser.post("/desk/seat/callbacks/1/number", {"why": "x"})).status == 422
    await hotline.browser.get("/desk/seat/callbacks/1")
    assert NUMBER in (await hotline.browser.post("/desk/seat/callbacks/1/number", WHY)).text
    wrong = await hotline.browser.post("/desk/seat/callbacks/1/done", {"result": "好"})
    assert (wrong.status, ">\n好</textarea>" in wrong.body) == (422, True)
    stale = await hotline.browser.post("/desk/seat/callbacks/1/done", {"result": "已接通，不再反映", "version": "1"})
    assert (stale.status, "已接通，不再反映" in stale.body) == (409, True)
    sheet = await hotline.browser.post("/desk/seat/sheets", {"task": "1"})
    assert MASKED in sheet.text
    await hotline.browser.get("/desk/seat/callbacks/1")
    done = await hotline.browser.post("/desk/seat/callbacks/1/done", {"result": "已接通，不再反映"})
    assert "回呼已办结" in done.text
    assert "已接通，不再反映" in (await hotline.browser.get("/desk/seat/callbacks/1")).text


async def test_a_wrong_number_is_no_petition(hotline: Hotline) -> None:
    page = await hotline.answer()
    assert (await hotline.browser.post(f"{page.path}/drop", {"drop": ""})).status == 422
    gone = await hotline.browser.post(f"{page.path}/drop", {"drop": "wrong"})
    assert "不登记" in gone.text
    assert hotline.room.trail()[0] == ("sheet_dropped", "打错了 c1")
    assert (await hotline.browser.get(page.path)).status == 404


async def test_a_call_without_a_telephone_system_is_written_by_hand(hotline: Hotline) -> None:
    page = await hotline.browser.get("/desk/seat")
    page = await hotline.browser.post("/desk/seat/sheets")
    receipt = await hotline.browser.post(f"{page.path}/submit", {**STORY, "caller_number": "0931-8000000"})
    assert "请读给来电人听" in receipt.text
    [case] = hotline.cases()
    assert case.petition.petitioners[0].landline == "0931-8000000"


async def test_the_stream_tells_of_changes_and_of_nobody(hotline: Hotline) -> None:
    client = hotline.browser.client
    async with client.get("/desk/seat/stream") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert await stream.content.readline() == b"retry: 1000\n"
        told = await asyncio.wait_for(stream.content.readuntil(b"data: "), 5)
        first = (await stream.content.readline()).strip().decode()
        assert b"event: changed" in told
        assert await hotline.ring() is True
        rest = (await asyncio.wait_for(stream.content.read(), 5)).decode()
    assert "event: changed" in rest
    assert "5400" not in rest
    last = re.findall(r"id: (\w+)", rest)[-1]
    assert last != first
    async with client.get("/desk/seat/stream", headers={"Last-Event-ID": last}) as stream:
        assert b"changed" not in await asyncio.wait_for(stream.content.read(), 5), "nothing twice"
    page = await hotline.browser.get("/desk/seat/live")
    assert (MASKED in page.text, f'data-mark-now="{last}"' in page.body) == (True, True)


async def test_no_page_of_the_seat_has_inline_script_or_style(hotline: Hotline) -> None:
    put(hotline.room.store, petitioners=(PERSON,))
    page = await hotline.answer()
    await hotline.ring("c2")
    await hotline.board.over("voice", "c2", hotline.room.at)
    for path in ("/desk/seat", page.path, f"{page.path}/earlier", "/desk/seat/callbacks/1"):
        body = (await hotline.browser.get(path)).body
        assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son[a-z]+=", body), path


async def test_what_callers_say_is_text_and_never_a_tag(hotline: Hotline) -> None:
    nasty = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    page = await hotline.answer()
    await hotline.board.call_back(Call(channel="voice", id="c9", number=NUMBER, line="", at=hotline.room.at), nasty)
    await hotline.browser.post(page.path, {"content": nasty, "title": nasty, "place_find": nasty})
    for path in (page.path, "/desk/seat", "/desk/seat/callbacks/1"):
        body = (await hotline.browser.get(path)).body
        assert "<script>alert" not in body
        assert "<img src=x" not in body
