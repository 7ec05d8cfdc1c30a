"""Reading later: a sender who is still telling is waited for, and what joins meanwhile is read with the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.group import load_group
from config.reference import DATA
from normalizer.archive import Archive
from normalizer.draft import Draft
from normalizer.governor import Governor
from normalizer.intake import IntakeDesk
from normalizer.pipeline import Pipeline, ReadingParts, build
from normalizer.reading import Reading
from petition import clock
from petition.arrival import SUPPLEMENT, Arrival, Outcome, Upload
from petition.errors import Conflict
from petition.people import Person
from petition.petition import Petition
from petition.workflow import Status
from store import outbox, petitions
from store.database import Store, database_url, open_store
from store.migrate import migrate
from store.outbox import Order
from store.petitions import Case
from tests.normalizer.conftest import arrival

RULES = load_group(DATA)
WAIT = timedelta(minutes=15)
NAMED = Person(name="王样本", mobile="+8615400000003")


class Room:
    """A house with a desk and a worker that is told when to work."""

    def __init__(self, store: Store, pipeline: Pipeline) -> None:
        self.store = store
        self.take = IntakeDesk(store, pipeline, Governor("inline"), "620000", clock.now)
        self.pipeline = pipeline
        self.reading = Reading(store, pipeline, RULES)

    def orders(self, case_no: str) -> list[Order]:
        return self.store.read_now(lambda tx: outbox.of(tx, case_no))

    def case(self, case_no: str) -> Case:
        return self.store.read_now(lambda tx: petitions.get(tx, case_no))

    def record(self, case_no: str) -> Petition:
        return self.case(case_no).petition

    def work(self, case_no: str, *, all_of_them: bool = False) -> None:
        """Carry out the read orders that are due."""
        for order in self.orders(case_no):
            if order.kind == "read" and (all_of_them or order.due <= clock.now()):
                self.reading(order.id)

    async def more(self, case_no: str, raw_id: str, *, settles: timedelta | None = None, **said: Any) -> None:
        now = clock.now()
        sent = replace(arrival(raw_id=raw_id, **said), received_at=now, sub_source=SUPPLEMENT + case_no)
        settles_at = None if settles is None else now + settles
        await self.take(replace(sent, raw=raw_id.encode(), settles_at=settles_at))


@pytest.fixture
def room(tmp_path: Path, parts: ReadingParts) -> Iterator[Room]:
    url = database_url("", tmp_path)
    migrate(url)
    store = open_store(url, tmp_path, b"a secret for tests, 32 bytes or more", min_free=0)
    yield Room(store, build(parts, Archive(store)))
    store.close()


def first(**said: Any) -> Arrival:
    now = clock.now()
    return replace(arrival(**said), received_at=now, settles_at=now + WAIT)


async def test_what_is_told_in_pieces_is_read_in_one_when_the_sender_has_ended(room: Room) -> None:
    told = await room.take(first(content="工地拖欠我们三个月工资"))
    assert told.outcome is Outcome.PETITION
    assert len(told.query_code) == 14
    await room.more(told.case_no, "2", content="王样本等18人被拖欠，约41万元", occur_place="酒泉市肃州区虚构工地")
    await room.more(told.case_no, "3", petitioners=(NAMED,))
    room.work(told.case_no)
    case = room.case(told.case_no)
    assert (case.status, case.read_at) == (Status.RECEIVED, None), "nothing leaves before it is read"
    assert [order.kind for order in room.orders(told.case_no)] == ["read"] * 3
    await room.more(told.case_no, "4", settles=timedelta())
    room.work(told.case_no)
    room.work(told.case_no)
    case = room.case(told.case_no)
    assert case.status is Status.REGISTERED
    assert (case.petition.headcount, case.petition.petitioners[0].name) == (18, "王样本")
    assert case.petition.problem_region.startswith("620902")
    assert [order.kind for order in room.orders(told.case_no)].count("dispatch") == 1
    code = room.store.vault.index("mobile", NAMED.mobile)
    assert room.store.read_now(lambda tx: petitions.has_code(tx, told.case_no, code))


async def test_who_never_ends_is_read_after_a_while(room: Room) -> None:
    told = await room.take(first(content="工地拖欠我们三个月工资"))
    [order] = room.orders(told.case_no)
    assert timedelta(minutes=14) < order.due - clock.now() <= WAIT
    room.work(told.case_no, all_of_them=True)
    assert room.case(told.case_no).status is Status.REGISTERED


async def test_files_first_and_words_later(room: Room) -> None:
    told = await room.take(replace(first(), uploads=(Upload(name="一.jpg", media_type="image/jpeg", body=b"1"),)))
    await room.more(told.case_no, "2", content="城关区演示小区物业多收费", settles=timedelta())
    room.work(told.case_no)
    room.work(told.case_no)
    record = room.record(told.case_no)
    assert record.content.startswith("【补充 ")
    assert record.problem_region.startswith("620102")
    assert [file.name for file in record.attachments] == ["一.jpg"]


async def test_a_supplement_that_joins_during_the_reading_is_not_lost(room: Room) -> None:
    told = await room.take(first(content="工地拖欠我们三个月工资"))
    await room.more(told.case_no, "2", content="王样本等18人被拖欠")
    opening, supplement = room.orders(told.case_no)
    pipeline = room.pipeline

    class Interrupted:
        """A pipeline in whose middle another worker joins the supplement."""

        def read(self, draft: Draft) -> None:
            pipeline.read(draft)
            Reading(room.store, pipeline, RULES)(supplement.id)

    with pytest.raises(Conflict):
        Reading(room.store, Interrupted(), RULES)(opening.id)  # type: ignore[arg-type]
    room.work(told.case_no, all_of_them=True)
    record = room.record(told.case_no)
    assert "18人" in record.content
    assert record.headcount == 18


# label, who is known, who the supplement states, who is known then
ANSWERS: list[tuple[str, tuple[Person, ...], tuple[Person, ...], tuple[Person, ...]]] = [
    ("nobody and somebody", (), (NAMED,), (NAMED,)),
    ("a number and a name with it", (Person(mobile=NAMED.mobile),), (NAMED,), (NAMED,)),
    ("a number and a name alone", (Person(mobile=NAMED.mobile),), (Person(name="王样本"),), (NAMED,)),
    ("another number", (NAMED,), (Person(name="王样本", mobile="+8615400000004"),), (NAMED,)),
    ("another name", (NAMED,), (Person(name="李假设"),), (NAMED,)),
    ("two people", (), (NAMED, Person(name="李假设")), ()),
    ("one of two", (NAMED, Person(name="李假设")), (Person(name="赵虚构"),), (NAMED, Person(name="李假设"))),
]


@pytest.mark.parametrize(("known", "said", "then"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
@pytest.mark.parametrize("settles", [None, WAIT], ids=["read", "unread"])
async def test_answers_fill_what_nobody_said_and_contradict_nothing(
    room: Room,
    known: tuple[Person, ...],
    said: tuple[Person, ...],
    then: tuple[Person, ...],
    settles: timedelta | None,
) -> None:
    sent = first(content="楼道灯坏了半个月", petitioners=known)
    told = await room.take(sent if settles else replace(sent, settles_at=None))
    await room.more(told.case_no, "2", petitioners=said, occur_place="演示小区")
    room.work(told.case_no)
    record = room.record(told.case_no)
    assert record.petitioners == then
    assert record.occur_place == "演示小区"


async def test_a_name_given_later_ends_anonymity_and_a_wish_for_it_is_kept(room: Room) -> None:
    told = await room.take(first(content="楼道灯坏了半个月"))
    await room.more(told.case_no, "2", is_anonymous=True, settles=timedelta())
    room.work(told.case_no)
    room.work(told.case_no)
    assert room.record(told.case_no).is_anonymous
    await room.more(told.case_no, "3", petitioners=(NAMED,))
    room.work(told.case_no)
    assert not room.record(told.case_no).is_anonymous
