"""A case's page without scripts: masked until a reason is given, decided by forms, nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from petition.arrival import Outcome
from petition.attachment import Attachment
from petition.petition import Evidence, Related, RelatedKind
from petition.workflow import Status
from store import outbox, petitions
from store.petitions import Case
from tests.casework.samples import get, put
from tests.fakes.workplace import Browser, Client, Room, url

Connect = Callable[[web.Application], Awaitable[Client]]
# aiohttp-jinja2 keeps its context under a plain string.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")
IDENTITY = ("张示例", "620199198503120012", "15400000001", "演示小区1号楼")
WHY = {"why": "verify"}


async def test_nothing_of_the_person_is_shown_without_a_reason(room: Room, seated: Browser) -> None:
    case = put(
        room.store, content="我叫张示例,身份证620199198503120012,电话154 0000 0001,住兰州市城关区示例街道演示小区1号楼"
    )
    for path in ("/desk", url(case), url(case, "/correct"), url(case, "/reroute")):
        page = await seated.get(path)
        assert page.status == 200
        assert not [word for word in (*IDENTITY, "0000 0001") if word in page.body], path
    assert room.trail(case) == []


async def test_a_reason_shows_it_once_and_leaves_a_trail(room: Room, seated: Browser) -> None:
    case = put(room.store)
    await seated.get(url(case))
    page = await seated.post(url(case, "/identity"), WHY)
    assert all(word in page.body for word in IDENTITY)
    assert page.headers["Cache-Control"] == "no-store"
    assert room.trail(case) == [("read_identity", "核对身份")]
    assert "张示例" not in (await seated.get(url(case))).body


@pytest.mark.parametrize(
    "why", [{}, {"why": ""}, {"why": "curious"}, {"why": "other"}, {"why": "other", "why_words": " "}]
)
async def test_without_a_reason_nothing_is_shown(room: Room, seated: Browser, why: dict[str, str]) -> None:
    case = put(room.store)
    await seated.get(url(case))
    for tail in ("/identity", "/correct/identity", "/files/00"):
        page = await seated.post(url(case, tail), why)
        assert (page.status, "张示例" in page.body) == (422, False)
    assert room.trail(case) == []


async def test_own_words_are_a_reason_and_stay_when_they_are_not_enough(room: Room, seated: Browser) -> None:
    case = put(room.store)
    await seated.get(url(case))
    page = await seated.post(url(case, "/identity"), {"why": "", "why_words": "当事人来电"})
    assert 'value="当事人来电"' in page.body
    await seated.post(url(case, "/identity"), {"why": "other", "why_words": "当事人来电"})
    assert room.trail(case) == [("read_identity", "其他（请写明） 当事人来电")]


async def test_an_inspector_cannot_unmask(room: Room, aiohttp_client: Connect) -> None:
    browser = Browser(room, await aiohttp_client(room.app()))
    await browser.sign_in(room.hire("ducha", "inspector"))
    case = put(room.store)
    assert "显示身份信息" not in (await browser.get(url(case))).text
    assert (await browser.post(url(case, "/identity"), WHY)).status == 403
    assert (await browser.get(url(case, "/correct"))).status == 403


async def test_every_field_tells_where_it_comes_from(room: Room, seated: Browser) -> None:
    evidence = {
        "category": Evidence(stage="category", source="content", confidence=0.42, span=(18, 20)),
        "purpose": Evidence(stage="arrival", source="stated", confidence=1.0),
    }
    case = put(room.store, evidence=evidence, content="一二三四五六七八九十一二三四五六七八物业收费")
    page = await seated.get(url(case))
    assert "分类建议·据内容原文·把握 42%" in page.text
    assert "「" not in page.body
    assert "<q>物业</q>" in page.body
    assert '<mark id="mark-category" data-mark>物业</mark>' in page.body
    assert page.body.count("存疑") == 1
    assert "信访人自述" in page.text


async def test_confirming(room: Room, seated: Browser) -> None:
    case = put(room.store)
    await seated.get(url(case, "?queue=new"))
    page = await seated.post(url(case, "/confirm?queue=new"))
    assert page.path == url(case, "?queue=new&done=confirm")
    assert "已确认登记" in page.text
    assert get(room.store, case.case_no).confirmed_at is not None
    assert room.woken == 1


async def test_a_note_that_is_needed_is_asked_for_and_kept(room: Room, seated: Browser) -> None:
    case = put(room.store, petitioners=(), problem_region="")
    await seated.get(url(case))
    page = await seated.post(url(case, "/confirm"), {"note": "x"})
    assert page.status == 422
    assert 'value="x"' in page.body
    assert 'aria-invalid="true"' in page.body
    assert (await seated.post(url(case, "/confirm"), {"note": "来信未署名"})).status == 200


def change(room: Room, case: Case) -> None:
    room.store.write_now(lambda tx: petitions.amend(tx, case, actor="officer:kuai", event="correct"))


async def test_a_stale_form_says_who_was_faster_and_keeps_what_was_typed(room: Room, seated: Browser) -> None:
    case = put(room.store, petitioners=())
    await seated.get(url(case))
    change(room, case)
    page = await seated.post(url(case, "/confirm"), {"note": "写了很久的说明"})
    assert page.status == 409
    assert "kuai" in page.text
    assert 'value="写了很久的说明"' in page.body
    assert (await seated.post(url(case, "/confirm"), {"note": "写了很久的说明"})).status == 200


async def test_releasing_and_trying_an_order_again(room: Room, seated: Browser) -> None:
    held = put(room.store, standing=Outcome.HELD, status=Status.RECEIVED, reason="未验签", orders=())
    await seated.get(url(held, "?queue=held"))
    assert "未验签" in seated.page.text
    page = await seated.post(url(held, "/release?queue=held"), {"reason": "电话核实"})
    assert page.path == url(held, "?queue=held&done=release")
    case = put(room.store)
    order = room.store.read_now(lambda tx: outbox.of(tx, case.case_no))[0]
    room.store.write_now(lambda tx: outbox.hold(tx, order, "对方拒收"))
    assert "对方拒收" in (await seated.get("/desk?queue=orders")).text
    await seated.get(url(case))
    page = await seated.post(url(case, "/retry"), {"order": str(order.id)})
    assert page.path == url(case, "?queue=new&done=retry")
    page = await seated.post(url(case, "/retry"), {"order": "1' OR 1=1"})
    assert page.status == 404


@pytest.mark.parametrize(("same", "done"), [("yes", "link"), ("no", "unlink")])
async def test_a_repeat_is_decided(room: Room, seated: Browser, same: str, done: str) -> None:
    first = put(room.store)
    related = (Related(case_no=first.case_no, kind=RelatedKind.LINK, score=0.9, reason="同一手机号15400000001"),)
    case = put(room.store, related=related)
    page = await seated.get(url(case))
    assert "可能重复" in page.text
    assert "已认定" not in page.text
    assert "15400000001" not in page.body
    page = await seated.post(url(case, "/link"), {"other": first.case_no, "same": same})
    assert page.path == url(case, f"?queue=new&done={done}")
    assert get(room.store, case.case_no).petition.is_repeat is (same == "yes")
    assert ("已认定" in page.text) is (same == "yes")


async def test_files_need_a_reason_and_are_saved_not_opened(room: Room, seated: Browser) -> None:
    digest = room.store.files.put(b"<html><script>alert(1)</script></html>")
    page_file = Attachment(name="证据 张示例.html", media_type="text/html", size=38, sha256=digest)
    case = put(room.store, attachments=(page_file,))
    assert "证据 张示例" not in (await seated.get(url(case))).body
    page = await seated.post(url(case, f"/files/{digest}"), WHY)
    assert page.body == "<html><script>alert(1)</script></html>"
    assert page.headers["Content-Type"] == "application/octet-stream"
    assert page.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert room.trail(case) == [("read_file", "核对身份")]


async def test_the_original_is_saved_byte_for_byte_and_other_files_are_not_given(room: Room, seated: Browser) -> None:
    case, other = put(room.store), put(room.store)
    await seated.get(url(case))
    digests = re.findall(r"/files/([0-9a-f]{64})", seated.page.body)
    assert len(digests) == 1
    await seated.get(url(other))
    foreign = re.findall(r"/files/([0-9a-f]{64})", seated.page.body)[0]
    await seated.get(url(case))
    csrf = seated.page.hidden("csrf")
    page = await seated.post(url(case, f"/files/{digests[0]}"), WHY)
    assert page.body == f'{{"id":"{case.petition.raw_id}"}}'
    assert (await seated.post(url(case, f"/files/{foreign}"), {**WHY, "csrf": csrf})).status == 404


@pytest.mark.parametrize("case_no", ["x", "..", "%2e%2e%2fetc", "a" * 300, "编号", "a'--"])
async def test_a_strange_number_is_not_found(room: Room, seated: Browser, case_no: str) -> None:
    assert (await seated.get(f"/desk/cases/{case_no}")).status == 404


@pytest.mark.parametrize("version", ["", "-1", "x", "9" * 40, "1.5"])
async def test_a_spoilt_version_is_a_stale_form(room: Room, seated: Browser, version: str) -> None:
    case = put(room.store)
    await seated.get(url(case))
    assert (await seated.post(url(case, "/confirm"), {"version": version})).status == 409
