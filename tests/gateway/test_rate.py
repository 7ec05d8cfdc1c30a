"""The rating page: with the code only, once, and the timeline shows it."""

from __future__ import annotations

import pytest

from gateway.house import House
from petition import clock
from petition.arrival import Arrival, Receipt, Statement
from petition.people import Person
from petition.petition import Form, Purpose
from petition.workflow import Status
from store import petitions
from store.transaction import Transaction
from tests.fakes.portal import Browser

# aiohttp-jinja2 1.6 still names its request values by words.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")


async def delivered(house: House, name: str) -> Receipt:
    """A case whose answer has been delivered."""
    receipt = await house.intake()(
        Arrival(
            channel="web",
            form=Form.WEB,
            raw_id=name,
            received_at=clock.now(),
            petition_date=clock.today(),
            raw=name.encode(),
            raw_type="text/plain",
            statement=Statement(
                petitioners=(Person(name="张示例", address="演示小区"),),
                title="反映演示小区供暖不足",
                content="室温一直只有14度。",
                purpose=Purpose.APPEAL,
                problem_region="620102",
            ),
        )
    )

    def answer(tx: Transaction) -> None:
        case = petitions.get(tx, receipt.case_no)
        petitions.amend(tx, case, actor="routing", event="deliver", status=Status.DELIVERED, unit="620102-housing")

    await house.store.write(answer)
    return receipt


async def test_rated_with_the_code_once(house: House, browser: Browser) -> None:
    receipt = await delivered(house, "rated once")
    assert (await browser.get("/track/rate")).path.startswith("/track?over"), "without the code nobody rates"
    await browser.get("/track")
    page = await browser.post("/track", {"case_no": receipt.case_no, "query_code": receipt.query_code})
    assert "/track/rate" in page.text
    page = await browser.get("/track/rate")
    page = await browser.post("/track/rate", {"bureau": "3", "unit": "", "words": "谢谢"})
    assert (page.status, len(page.errors)) == (422, 1)
    assert page.value("words") == "谢谢"
    page = await browser.post("/track/rate", {"bureau": "3", "unit": "2", "words": "谢谢"})
    assert page.path == "/track/case?rated=1"
    assert "对信访部门：满意；对责任单位：基本满意。谢谢" in page.words
    assert "/track/rate" not in page.text
    page = await browser.post("/track/rate", {"bureau": "1", "unit": "1", "words": ""})
    assert page.path == "/track/case?rated=0"
    case = await house.store.read(lambda tx: petitions.get(tx, receipt.case_no))
    assert (case.status, case.petition.rating_bureau, case.petition.rating_unit) == (Status.CONCLUDED, 3, 2)


async def test_nothing_to_rate_before_an_answer(house: House, browser: Browser) -> None:
    receipt = await delivered(house, "not yet")

    def back(tx: Transaction) -> None:
        case = petitions.get(tx, receipt.case_no)
        petitions.amend(tx, case, actor="routing", event="order_redo", status=Status.IN_PROGRESS)

    await house.store.write(back)
    await browser.get("/track")
    page = await browser.post("/track", {"case_no": receipt.case_no, "query_code": receipt.query_code})
    assert "/track/rate" not in page.text
    assert (await browser.get("/track/rate")).path == "/track/case?rated=0"
