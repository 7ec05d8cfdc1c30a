"""Enquiries by telephone keys, over a real store: they find what they were read from, and are guessed seldom."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from channels.door import Enquiries
from config.settings import Settings
from gateway.enquiries import CaseEnquiries
from gateway.house import House, open_house
from gateway.limiter import Limiter
from petition.arrival import Arrival, Receipt, Statement
from petition.errors import NotFound, TooMany
from petition.keypad import case_keys, code_keys
from petition.petition import Form


@pytest.fixture
def house(tmp_path: Path) -> House:
    return open_house(Settings(data=tmp_path, min_free=0))


async def _filed(house: House) -> Receipt:
    now = house.store.clock()
    return await house.intake()(
        Arrival(
            channel="rest",
            form=Form.PHONE,
            raw_id="one",
            received_at=now,
            petition_date=date(2026, 11, 22),
            raw=b"raw",
            raw_type="text/plain",
            statement=Statement(content="演示小区停水三天，请尽快恢复供水"),
        )
    )


async def test_a_status_is_told_by_the_keys_alone(house: House) -> None:
    receipt = await _filed(house)
    enquiries: Enquiries = CaseEnquiries(house.store, Limiter(100, 100))
    told = await enquiries.status_by_keys(case_keys(receipt.case_no), code_keys(receipt.query_code))
    assert told == await enquiries.status_words(receipt.case_no, receipt.query_code)
    wrong = code_keys(receipt.query_code)
    for keys, code in (
        (case_keys(receipt.case_no), wrong[:-1] + str((int(wrong[-1]) + 1) % 10)),
        (case_keys(receipt.case_no), ""),
        (case_keys(receipt.case_no), receipt.query_code),
        (case_keys(receipt.case_no)[:-1], wrong),
        ("", ""),
    ):
        with pytest.raises(NotFound):
            await enquiries.status_by_keys(keys, code)
    house.close()


async def test_keys_are_guessed_as_seldom_as_codes(house: House) -> None:
    receipt = await _filed(house)
    enquiries = CaseEnquiries(house.store, Limiter(10, 10))
    refused = 0
    for guess in range(12):
        try:
            await enquiries.status_by_keys(case_keys(receipt.case_no), f"{guess:012d}")
        except TooMany:
            refused += 1
        except NotFound:
            pass
    assert refused >= 2
    with pytest.raises(TooMany):
        await enquiries.status_words(receipt.case_no, receipt.query_code)
    house.close()
