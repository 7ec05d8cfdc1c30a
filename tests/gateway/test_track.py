"""Tracking and supplements: who may see what, how dates are told, and what a citizen adds."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.house import House
from gateway.pages.schedule import bars, next_steps
from gateway.pages.track import COOKIE, OPEN_FOR, CaseCookie
from petition import clock, numbering
from petition.arrival import Arrival, Receipt, Statement
from petition.clock import SHANGHAI
from petition.people import Person
from petition.petition import Form, Purpose
from petition.workflow import Status
from store import petitions
from store.history import Step
from store.transaction import Transaction
from tests.fakes.portal import Browser, Client, RememberingIntake

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")

Connect = Callable[[web.Application], Awaitable[Client]]
UNIT = "620000-government"
PHOTO = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(400)


@pytest.fixture
async def receipt(house: House, request: pytest.FixtureRequest) -> Receipt:
    """A case of its own for each test; an accusation for tests that ask for one by a marker argument."""
    purpose = Purpose.ACCUSATION if "accusation" in request.node.name else Purpose.APPEAL
    return await house.intake()(
        Arrival(
            channel="web",
            form=Form.WEB,
            raw_id=request.node.name,
            received_at=clock.now(),
            petition_date=clock.today(),
            raw=b"{}",
            raw_type="application/json",
            statement=Statement(
                petitioners=(Person(name="张示例", mobile="+8615400000001", address="演示小区"),),
                title="反映演示小区物业公共收益不公开",
                content="物业自2026年1月起每平方米多收0.6元,公共收益从未公示。",
                requests=("公开账目",),
                purpose=purpose,
                problem_region="620102",
            ),
        )
    )


async def move(
    house: House, case_no: str, status: Status, *, document: str = "", words: str = "", public: bool = True
) -> None:
    """One step of an officer or of the routing system."""

    def work(tx: Transaction) -> None:
        case = petitions.get(tx, case_no)
        petitions.amend(
            tx, case, actor="routing", event=status.value.lower(), status=status, unit=UNIT,
            document=document, words=words, public=public,
        )  # fmt: skip

    await house.store.write(work)


async def open_case(browser: Browser, case_no: str, code: str) -> str:
    await browser.get("/track")
    return (await browser.post("/track", {"case_no": case_no, "query_code": code})).path


async def test_number_and_code_are_read_forgivingly(browser: Browser, receipt: Receipt) -> None:
    page = await browser.get(f"/track?no={receipt.case_no}")
    assert page.value("case_no") == receipt.case_no
    number = numbering.parse_case_no(receipt.case_no).shown.lower().replace("-", " - ")
    code = receipt.query_code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert await open_case(browser, f" {number} ", code) == "/track/case"


@pytest.mark.parametrize(
    ("case_no", "code", "field"),
    [
        ("", "", "case_no"),
        ("甲乙丙", "AAAA-BBBB-CCCC", "case_no"),
        ("620000-W-20261120-00001-0", "AAAA-BBBB-CCCC", "case_no"),
        ("620000W\x002026", "\u202e", "query_code"),
        ("9" * 5000, "9" * 5000, "query_code"),
    ],
)
async def test_odd_numbers_get_words_at_the_field(browser: Browser, case_no: str, code: str, field: str) -> None:
    await browser.get("/track")
    page = await browser.post("/track", {"case_no": case_no, "query_code": code})
    assert page.status == 422
    assert page.errors
    assert f'id="{field}-error"' in page.text


async def test_a_wrong_code_opens_nothing_and_keeps_what_was_typed(browser: Browser, receipt: Receipt) -> None:
    await browser.get("/track")
    page = await browser.post("/track", {"case_no": receipt.case_no, "query_code": "AAAA-BBBB-CCCC"})
    assert page.status == 422
    assert page.value("case_no") == receipt.case_no
    assert page.value("query_code") == "AAAA-BBBB-CCCC"
    assert (await browser.get("/track/case")).path == "/track"
    unknown = numbering.case_no("620000", Form.WEB, date(2020, 1, 1), 7)
    other = await browser.post("/track", {"case_no": unknown, "query_code": "AAAA-BBBB-CCCC"})
    assert other.errors == page.errors  # nobody learns which numbers exist


async def test_guessing_is_held_back(browser: Browser, receipt: Receipt) -> None:
    await browser.get("/track")
    tries = [
        await browser.post("/track", {"case_no": receipt.case_no, "query_code": "AAAA-BBBB-CCCC"}) for _ in range(14)
    ]
    assert tries[0].status == 422
    assert tries[-1].status == 429


async def test_the_case_is_told_step_by_step(browser: Browser, house: House, receipt: Receipt) -> None:
    await move(house, receipt.case_no, Status.FORWARDED)
    await move(house, receipt.case_no, Status.OBJECTED, public=False)
    await move(house, receipt.case_no, Status.ACCEPTED, document="DOC_ACCEPT_NOTICE", words="请保持电话畅通。")
    await move(house, receipt.case_no, Status.IN_PROGRESS, document="DOC_MINUTES")
    assert await open_case(browser, receipt.case_no, receipt.query_code) == "/track/case"
    page = await browser.get("/track/case")
    name = house.reference.units.rows[UNIT].name
    for words in ("办理中", "受理告知书", "请保持电话畅通。", name, "答复期限", "第三十四条", "反映演示小区物业"):
        assert words in page.words
    assert "DOC_" not in page.text
    assert page.text.count("<progress") == 2
    assert re.findall(r"<h3>(.*?)</h3>", page.text)[:2] == ["办理中", "已受理"]


async def test_an_accusation_shows_no_unit_and_no_words(browser: Browser, house: House, receipt: Receipt) -> None:
    await move(house, receipt.case_no, Status.DIVERTED_DISCIPLINE, document="DOC_OPINION", words="转某某单位核查")
    await open_case(browser, receipt.case_no, receipt.query_code)
    page = await browser.get("/track/case")
    assert "已转有权机关" in page.words
    for secret in (house.reference.units.rows[UNIT].name, "某某单位", "处理意见书", "纪检"):
        assert secret not in page.words


async def test_leaving_closes_the_case(browser: Browser, receipt: Receipt) -> None:
    await open_case(browser, receipt.case_no, receipt.query_code)
    assert (await browser.get("/track/case")).path == "/track/case"
    await browser.post("/track/close")
    assert (await browser.get("/track/case")).path == "/track"


@pytest.mark.parametrize(
    ("change", "later", "opens"),
    [
        (lambda text: text, timedelta(0), True),
        (lambda text: text, OPEN_FOR + timedelta(seconds=2), False),
        (lambda text: text.replace("W", "L", 1), timedelta(0), False),
        (lambda text: re.sub(r"\.\d+\.", ".99999999999.", text), timedelta(0), False),
        (lambda text: text[:-4] + "AAAA", timedelta(0), False),
        (lambda text: text.rsplit(".", 1)[0], timedelta(0), False),
        (lambda _: "..", timedelta(0), False),
        (lambda _: "é.1.é", timedelta(0), False),
        (lambda _: "x." + "9" * 400 + ".a", timedelta(0), False),
    ],
)
def test_the_cookie_is_signed_and_ends(
    house: House, change: Callable[[str], str], later: timedelta, opens: bool
) -> None:
    start = datetime(2026, 11, 20, 9, 0, tzinfo=SHANGHAI)
    response = web.Response()
    CaseCookie(house.store.vault, lambda: start, False).give(response, "620000W20261120000017")
    text = change(response.cookies[COOKIE].value)
    request = make_mocked_request("GET", "/track/case", headers={"Cookie": f"{COOKIE}={text}"})
    taken = CaseCookie(house.store.vault, lambda: start + later, False).take(request)
    assert taken == ("620000W20261120000017" if opens else "")


async def test_a_supplement_comes_in_once(browser: Browser, receipt: Receipt, intake: RememberingIntake) -> None:
    assert (await browser.get("/track/supplement")).path == "/track?over=1"
    await open_case(browser, receipt.case_no, receipt.query_code)
    page = await browser.get("/track/supplement")
    fields = {"once": page.value("once"), "content": "物业今天贴出了通知。"}
    files = [("通知.jpg", PHOTO)]
    sent = await asyncio.gather(*(browser.send("/track/supplement", files, fields) for _ in range(3)))
    assert {each.path for each in sent} == {"/track/case?added=1"}
    assert len(intake.ids) == 1
    arrival = intake.arrivals[0]
    assert arrival.sub_source == f"supplement:{receipt.case_no}"
    assert (arrival.statement.content, arrival.uploads[0].name) == ("物业今天贴出了通知。", "通知.jpg")
    assert len({each.raw for each in intake.arrivals}) == 1


async def test_an_odd_supplement_keeps_its_words(browser: Browser, receipt: Receipt, intake: RememberingIntake) -> None:
    await open_case(browser, receipt.case_no, receipt.query_code)
    page = await browser.get("/track/supplement")
    once = page.value("once")
    for content, files, errors in (
        ("", [], 1),
        ("有\x00字", [], 1),
        ("好的", [("程序.exe", b"MZ" + bytes(99))], 1),
        ("长" * 5001, [("空.jpg", b"")], 2),
    ):
        page = await browser.send("/track/supplement", files, {"once": once, "content": content})
        assert (page.status, len(page.errors)) == (422, errors), content[:9]
        assert page.value("content") == content.replace("\x00", "\ufffd")
        assert page.value("once") == once
    page = await browser.send("/track/supplement", [], {"once": "../x", "content": "好的"})
    assert page.errors == ["请再点一次“提交补充”。"]
    assert intake.arrivals == []
    browser._token = "forged"
    assert (await browser.send("/track/supplement", [], {"once": once, "content": "好的"})).status == 403


def step(day: date, status: Status) -> Step:
    """A step at noon of a day."""
    at = datetime(day.year, day.month, day.day, 12, tzinfo=SHANGHAI)
    return Step(id=1, case_no="", at=at, event="", status=status, unit="", actor="", words="", document="", public=True)


RECEIVED = datetime(2026, 7, 1, 9, 0, tzinfo=SHANGHAI)
FORWARDED = step(date(2026, 7, 3), Status.FORWARDED)
ACCEPTED = step(date(2026, 7, 10), Status.ACCEPTED)
EXTENDED = step(date(2026, 9, 1), Status.EXTENDED)
DELIVERED = step(date(2026, 9, 4), Status.DELIVERED)


@pytest.mark.parametrize(
    ("steps", "today", "expected"),
    [
        ((), date(2026, 7, 2), [("转送期限", "running", date(2026, 7, 16)), ("答复期限", "waiting", None)]),
        ((), date(2026, 7, 17), [("转送期限", "late", date(2026, 7, 16)), ("答复期限", "waiting", None)]),
        ((FORWARDED,), date(2026, 7, 4), [("受理期限", "running", date(2026, 7, 20)), ("答复期限", "waiting", None)]),
        (
            (FORWARDED, ACCEPTED),
            date(2026, 7, 11),
            [("受理期限", "done", date(2026, 7, 20)), ("答复期限", "running", date(2026, 9, 8))],
        ),
        (
            (FORWARDED, ACCEPTED),
            date(2026, 9, 9),
            [("受理期限", "done", date(2026, 7, 20)), ("答复期限", "late", date(2026, 9, 8))],
        ),
        (
            (FORWARDED, ACCEPTED, EXTENDED),
            date(2026, 9, 9),
            [("受理期限", "done", date(2026, 7, 20)), ("答复期限", "running", date(2026, 10, 8))],
        ),
        (
            (FORWARDED, ACCEPTED, DELIVERED),
            date(2027, 1, 1),
            [("受理期限", "done", date(2026, 7, 20)), ("答复期限", "done", date(2026, 9, 8))],
        ),
    ],
)
def test_two_bars_tell_the_time_limits(
    house: House, steps: tuple[Step, ...], today: date, expected: list[tuple[str, str, date | None]]
) -> None:
    found = bars(house.deadlines, steps, RECEIVED, today)
    assert [(bar.title, bar.state, bar.last) for bar in found] == expected
    assert all("信访工作条例" in bar.article for bar in found)
    assert all(0 <= bar.percent <= 100 for bar in found)


def test_bars_follow_the_kind_of_matter(house: House) -> None:
    today = date(2026, 7, 11)
    (only,) = bars(house.deadlines, (FORWARDED,), RECEIVED, today, purpose=Purpose.ACCUSATION)
    assert (only.title, only.state) == ("转交期限", "done")
    first, second = bars(house.deadlines, (FORWARDED,), RECEIVED, today, purpose=Purpose.SUGGESTION)
    assert (first.state, second.title, second.state) == ("running", "答复期限", "running")
    fast = bars(house.deadlines, (FORWARDED, ACCEPTED), RECEIVED, today, simplified=True)
    assert fast[1].last == date(2026, 7, 24)
    spot = bars(house.deadlines, (step(date(2026, 7, 2), Status.ANSWERED_ON_SPOT),), RECEIVED, today)
    assert [bar.state for bar in spot] == ["done", "done"]


def test_next_steps_are_dated_and_say_when_a_date_may_move(house: House) -> None:
    steps = next_steps(house.deadlines, date(2026, 11, 10), Purpose.APPEAL)
    assert [each.by for each in steps] == [date(2026, 11, 25), date(2026, 12, 10), date(2027, 2, 8)]
    assert [each.provisional for each in steps] == [False, False, True]
    assert len(next_steps(house.deadlines, date(2026, 7, 1), Purpose.SUGGESTION)) == 2
    told = next_steps(house.deadlines, date(2026, 7, 1), Purpose.ACCUSATION)
    assert not any("书面答复" in each.title for each in told)
