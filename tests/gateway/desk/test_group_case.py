"""A joint petition by link as officers see it: how many, how many households, who proved the mobile, names masked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from petition.arrival import Joining
from petition.people import IdType, Person, Role
from store import groups, petitions
from store.transaction import Transaction
from tests.casework.samples import get, put
from tests.fakes.workplace import Browser, Room, url

pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")


def neighbour(number: int) -> Person:
    return Person(
        role=Role.COSIGNER, name="李样例", id_type=IdType.OTHER, id_no=f"DEMO{number:05d}", mobile="+8615400000009"
    )


async def test_the_officer_sees_who_joined_and_who_proved_the_mobile(room: Room, seated: Browser) -> None:
    case = put(room.store)

    def join(tx: Transaction) -> None:
        groups.put(tx, case.case_no, title="供暖", summary="冷", household="1号", lasts=timedelta(days=1))
        found = get(room.store, case.case_no)
        people = [*found.petition.petitioners]
        for number in range(12):
            person, said = neighbour(number), Joining(household=f"{number + 2}号", proved="" if number else "sms")
            groups.add(tx, case.case_no, bytes([number]) * 16, person, said, b"", counts=True)
            people.append(person)
        record = replace(found.petition, petitioners=tuple(people), headcount=len(people))
        petitions.amend(tx, found, petition=record, actor="gateway", event="member_joined", public=False)

    room.store.write_now(join)
    page = await seated.get(url(case))
    assert page.status == 200
    words = re.sub(r"\s+", "", page.text)
    assert "一共13人、13户；凭链接加入12人，其中短信验证1人、未经短信验证11人。链接开放中" in words
    assert page.body.count("未经短信验证</span>") == 11
    assert page.body.count("手机已验证") == 1
    assert "其余3人" in words
    assert "李样例" not in page.body
    assert "联名人加入" in words
    assert (await seated.get(url(case, "/correct"))).status == 200
