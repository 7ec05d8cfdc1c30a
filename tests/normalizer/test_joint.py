"""Joining by link: sixty-six at once, twice, again, out again - each person counted once, nothing beside the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from config.group import load_group
from config.reference import DATA
from normalizer import joint
from normalizer.archive import Archive
from normalizer.governor import Governor
from normalizer.intake import IntakeDesk
from normalizer.pipeline import ReadingParts, build
from normalizer.reading import Reading
from petition import clock
from petition.arrival import SUPPLEMENT, Arrival, Joining, Receipt, Statement
from petition.errors import Unavailable
from petition.people import IdType, Person, Role
from petition.petition import Form, Purpose
from store import groups, outbox, petitions
from store.database import Store, database_url, open_store
from store.migrate import migrate
from store.outbox import OrderState
from store.proof import verify
from store.reconciliation import reconcile

RULES = load_group(DATA)
HOUSEHOLDS = 66


class Hall:
    """A store with its intake and its reader."""

    def __init__(self, folder: Path, parts: ReadingParts) -> None:
        url = database_url("", folder)
        migrate(url)
        self.store: Store = open_store(url, folder, b"s" * 32, min_free=0)
        self.folder = folder
        pipeline = build(parts, Archive(self.store))
        self.reading = Reading(self.store, pipeline, RULES)
        self.intake = IntakeDesk(self.store, pipeline, Governor("inline"), "620000", clock.now)

    def read(self) -> None:
        """Work off what waits to be read."""
        for row in self.store.read_now(lambda tx: outbox.claim(tx, ["read"], timedelta(minutes=1), 500)):
            self.reading(row.id)

    async def work_off(self) -> None:
        """The same, as workers do it: claimed in the writer, carried out in threads."""
        orders = await self.store.write(lambda tx: outbox.claim(tx, ["read"], timedelta(minutes=1), 500))
        await asyncio.gather(*(asyncio.to_thread(self.reading, order.id) for order in orders))


def someone(number: int, **changes: object) -> Person:
    person = Person(
        role=Role.COSIGNER,
        name="张示例",
        id_type=IdType.OTHER,
        id_no=f"DEMO{number:06d}",
        mobile=f"+86154{number:08d}",
        address=f"演示小区{number}号",
    )
    return replace(person, **changes)  # type: ignore[arg-type]


def opening(raw_id: str = "opening") -> Arrival:
    return Arrival(
        channel="web",
        form=Form.WEB,
        raw_id=raw_id,
        received_at=clock.now(),
        petition_date=clock.today(),
        raw=raw_id.encode(),
        raw_type="application/json",
        statement=Statement(
            petitioners=(someone(0, role=Role.REPRESENTATIVE),),
            headcount=1,
            title="反映演示小区供暖温度不达标",
            content="演示小区自2025年11月起室温不到16度,物业和供热公司互相推诿,要求检修。",
            requests=("检修管道",),
            purpose=Purpose.APPEAL,
            problem_region="620102",
            is_joint_letter=True,
        ),
    )


def joining(case_no: str, raw_id: str, person: Person, *, words: str = "", leaves: str = "") -> Arrival:
    said = Joining(household=person.address, leaves=leaves)
    return replace(
        opening(raw_id),
        raw=f"{raw_id}{person}{words}".encode(),
        sub_source=SUPPLEMENT + case_no,
        statement=Statement(petitioners=(person,), content=words, joining=said),
    )


@pytest.fixture
def hall(tmp_path: Path, parts: ReadingParts) -> Iterator[Hall]:
    opened = Hall(tmp_path, parts)
    yield opened
    opened.store.close()


@pytest.fixture
async def case(hall: Hall) -> Receipt:
    receipt = await hall.intake(opening())
    await hall.store.write(
        lambda tx: groups.put(
            tx, receipt.case_no, title="供暖", summary="", household="演示小区0号", lasts=timedelta(days=1)
        )
    )
    return receipt


async def test_sixty_six_households_are_one_case(hall: Hall, case: Receipt) -> None:
    """The opener, sixty-five others, and the opener once more by the own link, all at the same time."""
    arrivals = [joining(case.case_no, f"join-{number}", someone(number)) for number in range(HOUSEHOLDS)]
    receipts = await asyncio.gather(*(hall.intake(one) for one in arrivals))
    await hall.work_off()
    found = hall.store.read_now(lambda tx: petitions.get(tx, case.case_no))
    record = found.petition
    assert (record.headcount, record.is_group, record.is_joint_letter) == (HOUSEHOLDS, True, True)
    assert len({person.id_no for person in record.petitioners}) == HOUSEHOLDS == len(record.petitioners)
    assert {receipt.case_no for receipt in receipts} == {case.case_no}
    assert len({receipt.query_code for receipt in (*receipts, case)}) == HOUSEHOLDS + 1, "a code for everybody"
    group = hall.store.read_now(lambda tx: groups.find(tx, case.case_no))
    assert group is not None
    assert (group.joined, group.households) == (HOUSEHOLDS - 1, HOUSEHOLDS)
    balance = hall.store.read_now(reconcile)["web"]
    assert (balance.received, balance.petitions, balance.linked, balance.gap) == (67, 1, 66, 0)
    assert verify(hall.store, hall.folder) == []
    orders = hall.store.read_now(lambda tx: outbox.of(tx, case.case_no))
    told = [order for order in orders if order.kind == "dispatch" and order.payload == joint.BECAUSE]
    assert len(told) == 1, "the unit is told of all of them once"
    assert told[0].due > clock.now()
    assert found.version == 1 + HOUSEHOLDS


async def test_somebody_who_joins_twice_is_linked_and_counted_once(hall: Hall, case: Receipt) -> None:
    first = await hall.intake(joining(case.case_no, "a", someone(1), words="我家也冷。"))
    same = await hall.intake(joining(case.case_no, "a", someone(1), words="我家也冷。"))
    other = await hall.intake(joining(case.case_no, "b", someone(1), words="今天更冷。"))
    assert same == replace(first, outcome=same.outcome), "a second click gets the same code"
    assert other.query_code != first.query_code
    await hall.work_off()
    record = hall.store.read_now(lambda tx: petitions.get(tx, case.case_no)).petition
    assert record.headcount == 2
    assert "我家也冷。" in record.content
    assert "今天更冷。" in record.content
    asked = (first.query_code, other.query_code, case.query_code, "AAAA-AAAA-AAAA")
    seen = [hall.store.read_now(partial(groups.by_code, case_no=case.case_no, query_code=code)) for code in asked]
    assert [member is not None for member in seen] == [True, True, False, False]
    assert sorted(member.counts for member in seen if member) == [False, True]


async def test_who_leaves_is_counted_no_more_unless_joined_twice(hall: Hall, case: Receipt) -> None:
    codes = [(await hall.intake(joining(case.case_no, name, someone(1)))).query_code for name in "ab"]
    await hall.intake(joining(case.case_no, "c", someone(2)))
    await hall.work_off()
    counts = []
    for at, code in enumerate(codes):
        member = hall.store.read_now(partial(groups.by_code, case_no=case.case_no, query_code=code))
        assert member is not None
        await hall.intake(joining(case.case_no, f"leave{at}", Person(), leaves=member.uid.hex()))
        await hall.intake(joining(case.case_no, f"again{at}", Person(), leaves=member.uid.hex()))
        await hall.work_off()
        record = hall.store.read_now(lambda tx: petitions.get(tx, case.case_no)).petition
        counts.append((record.headcount, len(record.petitioners)))
    assert counts == [(3, 3), (2, 2)]
    mobile = hall.store.vault.index("mobile", someone(1).mobile)
    assert not hall.store.read_now(lambda tx: petitions.has_code(tx, case.case_no, mobile)), "and not found by number"
    assert hall.store.read_now(reconcile)["web"].gap == 0


async def test_five_represent_and_never_a_sixth(hall: Hall, case: Receipt) -> None:
    for number in range(1, 7):
        await hall.intake(joining(case.case_no, str(number), someone(number)))
    await hall.work_off()

    async def choose(number: int, chosen: bool = True) -> bool:
        code = groups.person_code(hall.store.vault, someone(number)).hex()
        return await hall.store.write(lambda tx: joint.represent(tx, case.case_no, code, chosen, RULES.representatives))

    assert [await choose(number) for number in range(1, 7)] == [True] * 4 + [False] * 2
    assert await choose(0, False), "the opener stays"
    assert await choose(1, False)
    assert await choose(6)
    record = hall.store.read_now(lambda tx: petitions.get(tx, case.case_no)).petition
    roles = [person.role for person in record.petitioners]
    assert roles.count(Role.REPRESENTATIVE) == RULES.representatives == 5
    assert roles[0] is Role.REPRESENTATIVE


async def test_a_case_that_is_still_being_read_is_waited_for(hall: Hall) -> None:
    deferred = IntakeDesk(hall.store, hall.intake._pipeline, Governor("deferred"), "620000", clock.now)
    receipt = await deferred(opening("late"))
    await deferred(joining(receipt.case_no, "early", someone(1)))
    first, second = await hall.store.write(lambda tx: outbox.claim(tx, ["read"], timedelta(minutes=1), 10))
    with pytest.raises(Unavailable):
        await asyncio.to_thread(hall.reading, second.id)
    await asyncio.to_thread(hall.reading, first.id)
    await asyncio.to_thread(hall.reading, second.id)
    await asyncio.to_thread(hall.reading, second.id)
    record = hall.store.read_now(lambda tx: petitions.get(tx, receipt.case_no)).petition
    assert (record.headcount, len(record.petitioners)) == (2, 2)
    orders = hall.store.read_now(lambda tx: outbox.of(tx, receipt.case_no))
    assert [order.state for order in orders if order.kind == "read"] == [OrderState.DELIVERED] * 2


async def test_a_new_link_ends_the_old_one(hall: Hall, case: Receipt) -> None:
    store, lasts = hall.store, timedelta(days=1)
    first = store.read_now(lambda tx: groups.find(tx, case.case_no))
    assert first is not None
    await store.write(lambda tx: groups.put(tx, case.case_no, title="供暖二", summary="s", household="x", lasts=lasts))
    assert store.read_now(lambda tx: groups.by_token(tx, first.token)) is None
    second = store.read_now(lambda tx: groups.find(tx, case.case_no))
    assert second is not None
    assert (second.title, second.summary, second.token != first.token) == ("供暖二", "s", True)
    assert second.takes(clock.now())
    await store.write(lambda tx: groups.set_open(tx, case.case_no, False, lasts))
    closed = store.read_now(lambda tx: groups.by_token(tx, second.token))
    assert closed is not None
    assert not closed.takes(clock.now())
    assert not second.takes(clock.now() + timedelta(days=2))


def test_a_household_is_the_same_however_it_is_written(hall: Hall) -> None:
    codes = {
        groups.household_code(hall.store.vault, "1", words) for words in ("3号楼 101", "３号楼１０１", "3号楼-101")
    }
    assert len(codes) == 1
    assert groups.household_code(hall.store.vault, "1", " ") == b""
    assert groups.household_code(hall.store.vault, "2", "3号楼101") not in codes
