"""Correcting and re-routing without scripts: errors at the field, a stale form shows both, nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from petition.petition import Lane
from petition.workflow import Status
from store import outbox, petitions
from store.outbox import OrderState
from store.petitions import Case
from tests.casework.samples import HOUSING, get, put
from tests.fakes.workplace import Browser, Client, Room, url

Connect = Callable[[web.Application], Awaitable[Client]]
# aiohttp-jinja2 keeps its context under a plain string.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")
IDENTITY = ("张示例", "620199198503120012", "15400000001", "演示小区1号楼")
WHY = {"why": "verify"}


async def test_a_stale_correction_shows_both(room: Room, seated: Browser) -> None:
    case = put(room.store)
    await seated.get(url(case, "/correct"))
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
    page = await seated.post(url(case, "/correct"), typed)
    assert page.status == 409
    assert all(words in page.body for words in ("我改的标题", "别人改的标题", 'value="电话核实"'))
    page = await seated.post(url(case, "/correct"), typed)
    assert page.path == url(case, "?queue=new&done=correct")
    assert get(room.store, case.case_no).petition.title == "我改的标题"


def _fields(case: Case) -> dict[str, Any]:
    return {name: getattr(case.petition, name) for name in case.petition.__dataclass_fields__}


async def test_a_wrong_correction_is_said_at_the_field_and_keeps_everything(room: Room, seated: Browser) -> None:
    case = put(room.store)
    await seated.get(url(case, "/correct"))
    page = await seated.post(
        url(case, "/correct"), {"title": "新标题", "headcount": "很多", "problem_region": "没有的地方", "reason": ""}
    )
    assert page.status == 422
    assert "有 3 处需要修改" in page.text
    for field in ("headcount", "problem_region", "reason"):
        assert f'href="#{field}"' in page.body
        assert f'id="{field}-error"' in page.body
    assert all(f'value="{words}"' in page.body for words in ("新标题", "很多", "没有的地方"))
    assert get(room.store, case.case_no) == case


async def test_identity_fields_are_corrected_only_after_a_reason(room: Room, seated: Browser) -> None:
    case = put(room.store)
    page = await seated.get(url(case, "/correct"))
    assert 'name="content"' not in page.body
    assert "petitioners.0.name" not in page.body
    await seated.get(url(case))
    page = await seated.post(url(case, "/correct/identity"), WHY)
    assert re.search(r'value="张示例"[^>]* name="petitioners.0.name"', page.body)
    assert room.trail(case) == [("read_identity", "核对身份")]
    page = await seated.post(url(case, "/correct"), {"petitioners.0.mobile": "15400000009", "reason": "本人来电"})
    assert page.path == url(case, "?queue=new&done=correct")
    assert get(room.store, case.case_no).petition.petitioners[0].mobile == "+8615400000009"


async def test_a_correction_that_seals_the_case_leads_away_from_it(room: Room, seated: Browser) -> None:
    case = put(room.store)
    await seated.get(url(case, "/correct"))
    page = await seated.post(url(case, "/correct"), {"purpose": "ACCUSATION", "reason": "系检举控告"})
    assert page.path == "/desk?done=moved"
    assert "移出您的查看范围" in page.text
    assert get(room.store, case.case_no).lane is Lane.SEALED


async def test_rerouting(room: Room, seated: Browser) -> None:
    case = put(room.store, accused=(HOUSING,), status=Status.FORWARDED, unit="620102-police")
    page = await seated.get(url(case, "/reroute?q=城关 住建"))
    assert re.search(r'id="unit-620102-housing" value="620102-housing" disabled', page.body)
    assert "应当回避" in page.text
    page = await seated.post(url(case, "/reroute"), {"unit": "620102-housing", "reason": "管辖", "q": "城关 住建"})
    assert page.status == 422, "a disabled choice is refused by the decision too"
    assert 'value="管辖"' in page.body
    page = await seated.post(url(case, "/reroute"), {"unit": "620102-labour", "reason": "管辖"})
    assert page.path == url(case, "?queue=new&done=reroute")
    last = room.store.read_now(lambda tx: outbox.of(tx, case.case_no))[-1]
    assert (last.payload["unit"], last.state) == ("620102-labour", OrderState.OPEN)
