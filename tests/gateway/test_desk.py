"""The desk's pages without scripts: masked until a reason is given, decided by forms, nothing typed is ever lost."""

from __future__ import annotations

import re
import shutil
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from config.reference import Reference, load_reference
from petition.arrival import Outcome
from petition.attachment import Attachment
from petition.petition import Evidence, Lane, Purpose, Related, RelatedKind
from petition.workflow import Status
from store import audit, outbox, petitions
from store.database import database_url
from store.migrate import migrate
from store.outbox import OrderState
from store.petitions import Case
from tests.casework.samples import HOUSING, PERSON, get, put
from tests.fakes.workplace import Browser, Client, Room

Connect = Callable[[web.Application], Awaitable[Client]]
# aiohttp-jinja2 keeps its context under a plain string.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")
IDENTITY = ("张示例", "620199198503120012", "15400000001", "演示小区1号楼")
WHY = {"why": "verify"}


@pytest.fixture(scope="session")
def reference() -> Reference:
    return load_reference()


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database to copy: migrating anew for each test would be most of its time."""
    folder = tmp_path_factory.mktemp("blank")
    migrate(database_url("", folder))
    return folder / "gateway.db"


@pytest.fixture
def room(tmp_path: Path, reference: Reference, blank: Path) -> Iterator[Room]:
    shutil.copy(blank, tmp_path)
    opened = Room(tmp_path, reference)
    yield opened
    opened.store.close()


@pytest.fixture
async def browser(room: Room, aiohttp_client: Connect) -> Browser:
    """A screener's, signed in."""
    opened = Browser(room, await aiohttp_client(room.app()))
    await opened.sign_in(room.hire())
    return opened


def url(case: Case, tail: str = "") -> str:
    return f"/desk/cases/{case.case_no}{tail}"


def trail(room: Room, case: Case | None = None) -> list[tuple[str, str]]:
    rows = room.store.read_now(lambda tx: audit.of(tx, case.case_no) if case else audit.recent(tx))
    return [(row.action, row.reason) for row in rows]


def rows(body: str) -> list[str]:
    return re.findall(r'<span class="row-title">([^<]*)</span>', body)


async def test_queues_counts_and_lamps(room: Room, browser: Browser) -> None:
    put(room.store, title="新来的一件")
    put(room.store, title="超期的一件", at=room.at - timedelta(days=40))
    put(room.store, title="待核的一件", standing=Outcome.HELD, status=Status.RECEIVED, reason="看不清", orders=())
    page = await browser.get("/desk")
    assert rows(page.body) == ["超期的一件", "新来的一件"]
    assert "已超期" in page.text
    assert re.findall(r'class="count[^>]*>(\d+)', page.body) == ["1", "2", "0"]
    page = await browser.get("/desk?queue=held")
    assert "看不清" in page.text
    assert rows((await browser.get("/desk?late=yes")).body) == ["超期的一件"]


@pytest.mark.parametrize(
    "query", ["?queue=nothing", "?urgency=x&form=y&purpose=z", "?category=%27%3B--", "?category=99", "?late=maybe"]
)
async def test_a_strange_filter_is_no_error(room: Room, browser: Browser, query: str) -> None:
    put(room.store)
    assert (await browser.get(f"/desk{query}")).status == 200


async def test_nothing_of_the_person_is_shown_without_a_reason(room: Room, browser: Browser) -> None:
    case = put(
        room.store, content="我叫张示例,身份证620199198503120012,电话154 0000 0001,住兰州市城关区示例街道演示小区1号楼"
    )
    for path in ("/desk", url(case), url(case, "/correct"), url(case, "/reroute")):
        page = await browser.get(path)
        assert page.status == 200
        assert not [word for word in (*IDENTITY, "0000 0001") if word in page.body], path
    assert trail(room, case) == []


async def test_a_reason_shows_it_once_and_leaves_a_trail(room: Room, browser: Browser) -> None:
    case = put(room.store)
    await browser.get(url(case))
    page = await browser.post(url(case, "/identity"), WHY)
    assert all(word in page.body for word in IDENTITY)
    assert page.headers["Cache-Control"] == "no-store"
    assert trail(room, case) == [("read_identity", "核对身份")]
    assert "张示例" not in (await browser.get(url(case))).body


@pytest.mark.parametrize(
    "why", [{}, {"why": ""}, {"why": "curious"}, {"why": "other"}, {"why": "other", "why_words": " "}]
)
async def test_without_a_reason_nothing_is_shown(room: Room, browser: Browser, why: dict[str, str]) -> None:
    case = put(room.store)
    await browser.get(url(case))
    for tail in ("/identity", "/correct/identity", "/files/00"):
        page = await browser.post(url(case, tail), why)
        assert (page.status, "张示例" in page.body) == (422, False)
    assert trail(room, case) == []


async def test_own_words_are_a_reason_and_stay_when_they_are_not_enough(room: Room, browser: Browser) -> None:
    case = put(room.store)
    await browser.get(url(case))
    page = await browser.post(url(case, "/identity"), {"why": "", "why_words": "当事人来电"})
    assert 'value="当事人来电"' in page.body
    await browser.post(url(case, "/identity"), {"why": "other", "why_words": "当事人来电"})
    assert trail(room, case) == [("read_identity", "其他(请写明) 当事人来电")]


async def test_an_inspector_cannot_unmask(room: Room, aiohttp_client: Connect) -> None:
    browser = Browser(room, await aiohttp_client(room.app()))
    await browser.sign_in(room.hire("ducha", "inspector"))
    case = put(room.store)
    assert "显示身份信息" not in (await browser.get(url(case))).text
    assert (await browser.post(url(case, "/identity"), WHY)).status == 403
    assert (await browser.get(url(case, "/correct"))).status == 403


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
        assert [action for action, _ in trail(room, case)] == ["denied"]
    assert rows((await browser.get("/desk?queue=all")).body) == []


async def test_a_sealed_case_is_read_on_the_trail_and_shows_no_title_in_lists(
    room: Room, aiohttp_client: Connect
) -> None:
    browser = Browser(room, await aiohttp_client(room.app()))
    clerk = room.hire("zhuanban", "discipline_clerk", unit="620000-discipline", lanes=(Lane.SEALED,))
    await browser.sign_in(clerk)
    case = put(room.store, lane=Lane.SEALED, purpose=Purpose.ACCUSATION, title="检举某人收受礼金")
    assert "收受礼金" not in (await browser.get("/desk")).body
    assert "收受礼金" in (await browser.get(url(case))).body
    assert trail(room, case) == [("read_sealed", "read")]


async def test_every_field_tells_where_it_comes_from(room: Room, browser: Browser) -> None:
    evidence = {
        "category": Evidence(stage="category", source="content", confidence=0.42, span=(18, 20)),
        "purpose": Evidence(stage="arrival", source="stated", confidence=1.0),
    }
    case = put(room.store, evidence=evidence, content="一二三四五六七八九十一二三四五六七八物业收费")
    page = await browser.get(url(case))
    assert "分类建议·据内容原文·把握 42%" in page.text
    assert "「" not in page.body
    assert "<q>物业</q>" in page.body
    assert '<mark id="mark-category" data-mark>物业</mark>' in page.body
    assert page.body.count("存疑") == 1
    assert "信访人自述" in page.text


async def test_what_people_wrote_is_text_and_never_a_tag(room: Room, browser: Browser) -> None:
    nasty = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    case = put(room.store, title=nasty[:60], content=nasty, occur_place=nasty, requests=(nasty,), petitioners=(PERSON,))
    for path in ("/desk", url(case), url(case, "/correct")):
        body = (await browser.get(path)).body
        assert "<script>alert" not in body
        assert "<img src=x" not in body
    page = await browser.post("/desk/search", {"q": nasty})
    assert "<script>alert" not in page.body


async def test_no_page_has_inline_script_or_style(room: Room, browser: Browser) -> None:
    case = put(room.store)
    for path in ("/desk", url(case), url(case, "/correct"), url(case, "/reroute"), "/desk/sign-in"):
        body = (await browser.get(path)).body
        assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son[a-z]+=", body), path


async def test_confirming(room: Room, browser: Browser) -> None:
    case = put(room.store)
    await browser.get(url(case, "?queue=new"))
    page = await browser.post(url(case, "/confirm?queue=new"))
    assert page.path == url(case, "?queue=new&done=confirm")
    assert "已确认登记" in page.text
    assert get(room.store, case.case_no).confirmed_at is not None
    assert room.woken == 1


async def test_a_note_that_is_needed_is_asked_for_and_kept(room: Room, browser: Browser) -> None:
    case = put(room.store, petitioners=(), problem_region="")
    await browser.get(url(case))
    page = await browser.post(url(case, "/confirm"), {"note": "x"})
    assert page.status == 422
    assert 'value="x"' in page.body
    assert 'aria-invalid="true"' in page.body
    assert (await browser.post(url(case, "/confirm"), {"note": "来信未署名"})).status == 200


def change(room: Room, case: Case) -> None:
    room.store.write_now(lambda tx: petitions.amend(tx, case, actor="officer:kuai", event="correct"))


async def test_a_stale_form_says_who_was_faster_and_keeps_what_was_typed(room: Room, browser: Browser) -> None:
    case = put(room.store, petitioners=())
    await browser.get(url(case))
    change(room, case)
    page = await browser.post(url(case, "/confirm"), {"note": "写了很久的说明"})
    assert page.status == 409
    assert "kuai" in page.text
    assert 'value="写了很久的说明"' in page.body
    assert (await browser.post(url(case, "/confirm"), {"note": "写了很久的说明"})).status == 200


async def test_a_stale_correction_shows_both(room: Room, browser: Browser) -> None:
    case = put(room.store)
    await browser.get(url(case, "/correct"))
    now = get(room.store, case.case_no)
    room.store.write_now(
        lambda tx: petitions.amend(
            tx,
            now,
            actor="officer:kuai",
            event="correct",
            petition=now.petition.__class__(**{**_fields(now), "title": "别人改的标题"}),
        )
    )
    typed = {"title": "我改的标题", "reason": "电话核实", "category": "03.03"}
    page = await browser.post(url(case, "/correct"), typed)
    assert page.status == 409
    assert all(words in page.body for words in ("我改的标题", "别人改的标题", 'value="电话核实"'))
    page = await browser.post(url(case, "/correct"), typed)
    assert page.path == url(case, "?queue=new&done=correct")
    assert get(room.store, case.case_no).petition.title == "我改的标题"


def _fields(case: Case) -> dict[str, Any]:
    return {name: getattr(case.petition, name) for name in case.petition.__dataclass_fields__}


async def test_a_wrong_correction_is_said_at_the_field_and_keeps_everything(room: Room, browser: Browser) -> None:
    case = put(room.store)
    await browser.get(url(case, "/correct"))
    page = await browser.post(
        url(case, "/correct"), {"title": "新标题", "headcount": "很多", "problem_region": "没有的地方", "reason": ""}
    )
    assert page.status == 422
    assert "有 3 处需要修改" in page.text
    for field in ("headcount", "problem_region", "reason"):
        assert f'href="#{field}"' in page.body
        assert f'id="{field}-error"' in page.body
    assert all(f'value="{words}"' in page.body for words in ("新标题", "很多", "没有的地方"))
    assert get(room.store, case.case_no) == case


async def test_identity_fields_are_corrected_only_after_a_reason(room: Room, browser: Browser) -> None:
    case = put(room.store)
    page = await browser.get(url(case, "/correct"))
    assert 'name="content"' not in page.body
    assert "petitioners.0.name" not in page.body
    await browser.get(url(case))
    page = await browser.post(url(case, "/correct/identity"), WHY)
    assert re.search(r'value="张示例"[^>]* name="petitioners.0.name"', page.body)
    assert trail(room, case) == [("read_identity", "核对身份")]
    page = await browser.post(url(case, "/correct"), {"petitioners.0.mobile": "15400000009", "reason": "本人来电"})
    assert page.path == url(case, "?queue=new&done=correct")
    assert get(room.store, case.case_no).petition.petitioners[0].mobile == "+8615400000009"


async def test_a_correction_that_seals_the_case_leads_away_from_it(room: Room, browser: Browser) -> None:
    case = put(room.store)
    await browser.get(url(case, "/correct"))
    page = await browser.post(url(case, "/correct"), {"purpose": "ACCUSATION", "reason": "系检举控告"})
    assert page.path == "/desk?done=moved"
    assert "移出您的查看范围" in page.text
    assert get(room.store, case.case_no).lane is Lane.SEALED


async def test_rerouting(room: Room, browser: Browser) -> None:
    case = put(room.store, accused=(HOUSING,), status=Status.FORWARDED, unit="620102-police")
    page = await browser.get(url(case, "/reroute?q=城关 住建"))
    assert re.search(r'id="unit-620102-housing" value="620102-housing" disabled', page.body)
    assert "应当回避" in page.text
    page = await browser.post(url(case, "/reroute"), {"unit": "620102-housing", "reason": "管辖", "q": "城关 住建"})
    assert page.status == 422, "a disabled choice is refused by the decision too"
    assert 'value="管辖"' in page.body
    page = await browser.post(url(case, "/reroute"), {"unit": "620102-labour", "reason": "管辖"})
    assert page.path == url(case, "?queue=new&done=reroute")
    last = room.store.read_now(lambda tx: outbox.of(tx, case.case_no))[-1]
    assert (last.payload["unit"], last.state) == ("620102-labour", OrderState.OPEN)


async def test_releasing_and_trying_an_order_again(room: Room, browser: Browser) -> None:
    held = put(room.store, standing=Outcome.HELD, status=Status.RECEIVED, reason="未验签", orders=())
    await browser.get(url(held, "?queue=held"))
    assert "未验签" in browser.page.text
    page = await browser.post(url(held, "/release?queue=held"), {"reason": "电话核实"})
    assert page.path == url(held, "?queue=held&done=release")
    case = put(room.store)
    order = room.store.read_now(lambda tx: outbox.of(tx, case.case_no))[0]
    room.store.write_now(lambda tx: outbox.hold(tx, order, "对方拒收"))
    assert "对方拒收" in (await browser.get("/desk?queue=orders")).text
    await browser.get(url(case))
    page = await browser.post(url(case, "/retry"), {"order": str(order.id)})
    assert page.path == url(case, "?queue=new&done=retry")
    page = await browser.post(url(case, "/retry"), {"order": "1' OR 1=1"})
    assert page.status == 404


@pytest.mark.parametrize(("same", "done"), [("yes", "link"), ("no", "unlink")])
async def test_a_repeat_is_decided(room: Room, browser: Browser, same: str, done: str) -> None:
    first = put(room.store)
    related = (Related(case_no=first.case_no, kind=RelatedKind.LINK, score=0.9, reason="同一手机号15400000001"),)
    case = put(room.store, related=related)
    page = await browser.get(url(case))
    assert "可能重复" in page.text
    assert "15400000001" not in page.body
    page = await browser.post(url(case, "/link"), {"other": first.case_no, "same": same})
    assert page.path == url(case, f"?queue=new&done={done}")
    assert get(room.store, case.case_no).petition.is_repeat is (same == "yes")


async def test_search_by_number_goes_to_the_case(room: Room, browser: Browser) -> None:
    case = put(room.store)
    await browser.get("/desk")
    shown = f"{case.case_no[:6]}-{case.case_no[6].lower()} {case.case_no[7:]}"
    assert (await browser.post("/desk/search", {"q": shown})).path == url(case, "?queue=all")


async def test_search_by_phone_is_a_post_and_audited(room: Room, browser: Browser) -> None:
    put(room.store, title="找得到的")
    await browser.get("/desk")
    page = await browser.post("/desk/search", {"q": "154 0000 0001"})
    assert (page.path, rows(page.body)) == ("/desk/search", ["找得到的"])
    action, told = trail(room)[0]
    assert (action, "0001" in told, "15400000001" in told) == ("search", True, False), told
    for text in ("", "张示例"):
        await browser.get("/desk")
        assert (await browser.post("/desk/search", {"q": text})).status in (200, 404)


async def test_files_need_a_reason_and_are_saved_not_opened(room: Room, browser: Browser) -> None:
    digest = room.store.files.put(b"<html><script>alert(1)</script></html>")
    page_file = Attachment(name="证据 张示例.html", media_type="text/html", size=38, sha256=digest)
    case = put(room.store, attachments=(page_file,))
    assert "证据 张示例" not in (await browser.get(url(case))).body
    page = await browser.post(url(case, f"/files/{digest}"), WHY)
    assert page.body == "<html><script>alert(1)</script></html>"
    assert page.headers["Content-Type"] == "application/octet-stream"
    assert page.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    assert "sandbox" in page.headers["Content-Security-Policy"]
    assert trail(room, case) == [("read_file", "核对身份")]


async def test_the_original_is_saved_byte_for_byte_and_other_files_are_not_given(room: Room, browser: Browser) -> None:
    case, other = put(room.store), put(room.store)
    await browser.get(url(case))
    digests = re.findall(r"/files/([0-9a-f]{64})", browser.page.body)
    assert len(digests) == 1
    await browser.get(url(other))
    foreign = re.findall(r"/files/([0-9a-f]{64})", browser.page.body)[0]
    await browser.get(url(case))
    csrf = browser.page.hidden("csrf")
    page = await browser.post(url(case, f"/files/{digests[0]}"), WHY)
    assert page.body == f'{{"id":"{case.petition.raw_id}"}}'
    assert (await browser.post(url(case, f"/files/{foreign}"), {**WHY, "csrf": csrf})).status == 404


@pytest.mark.parametrize("case_no", ["x", "..", "%2e%2e%2fetc", "a" * 300, "编号", "a'--"])
async def test_a_strange_number_is_not_found(room: Room, browser: Browser, case_no: str) -> None:
    assert (await browser.get(f"/desk/cases/{case_no}")).status == 404


@pytest.mark.parametrize("version", ["", "-1", "x", "9" * 40, "1.5"])
async def test_a_spoilt_version_is_a_stale_form(room: Room, browser: Browser, version: str) -> None:
    case = put(room.store)
    await browser.get(url(case))
    assert (await browser.post(url(case, "/confirm"), {"version": version})).status == 409


@pytest.mark.parametrize(("role", "words"), [("auditor", "不查阅信访件"), ("admin", "不查阅信访件")])
async def test_administrators_see_no_case(room: Room, aiohttp_client: Connect, role: str, words: str) -> None:
    browser = Browser(room, await aiohttp_client(room.app()))
    put(room.store)
    page = await browser.sign_in(room.hire("guanli", role))
    assert words in page.text
    assert "data-search" not in page.body
    assert (await browser.post("/desk/search", {"q": "15400000001"})).status == 403
