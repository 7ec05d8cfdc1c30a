"""The intake: exactly once, in line or deferred; what breaks is held; what was deferred is read by the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from casework.registration import let_in
from config.group import load_group
from config.reference import DATA
from normalizer.archive import Archive
from normalizer.draft import Draft
from normalizer.governor import CROWD, LONG, Governor
from normalizer.intake import INLINE, IdempotencyConflict, IntakeDesk
from normalizer.pipeline import Pipeline, ReadingParts, build
from normalizer.reading import Reading
from petition import clock
from petition.arrival import Outcome, Upload
from petition.people import Accused, Person
from petition.petition import Lane, Purpose
from petition.workflow import Status
from store import history, outbox, petitions, tables
from store.database import Store, database_url, open_store
from store.migrate import migrate
from store.outbox import OrderState
from store.petitions import Case
from store.proof import verify
from store.reconciliation import reconcile
from store.transaction import Transaction
from tests.normalizer.conftest import arrival

SAID: dict[str, Any] = {
    "title": "反映演示小区物业多收费",
    "content": "兰州市城关区演示小区物业自2026年1月起多收0.6元物业费,要求退还。",
    "petitioners": (Person(name="张示例", mobile="+8615400000001", id_no="620199198503120012"),),
}


class Breaks:
    """A stage with a bug."""

    name = "breaks"

    def __call__(self, draft: Draft) -> None:
        raise RuntimeError("张示例 15400000001")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    url = database_url("", tmp_path)
    migrate(url)
    opened = open_store(url, tmp_path, b"a secret for tests, 32 bytes or more", min_free=0)
    yield opened
    opened.close()


@pytest.fixture
def reader(store: Store, parts: ReadingParts) -> Pipeline:
    return build(parts, Archive(store))


def desk(store: Store, reader: Pipeline, mode: Any = "inline") -> IntakeDesk:
    return IntakeDesk(store, reader, Governor(mode), "620000", clock.now)


def read_all(store: Store, reader: Pipeline) -> None:
    """What the worker does with every open read order."""
    reading = Reading(store, reader, load_group(DATA))
    wanted = select(tables.outbox.c.id).where(tables.outbox.c.kind == "read", tables.outbox.c.state == "open")
    for order_id in store.read_now(lambda tx: tx.connection.scalars(wanted).all()):
        reading(order_id)
        reading(order_id)


def case_of(store: Store, case_no: str) -> Case:
    return store.read_now(lambda tx: petitions.get(tx, case_no))


def released(case: Case, tx: Transaction) -> Case:
    return let_in(tx, case, "officer:1", "核对")


def gap(store: Store) -> int:
    return sum(balance.gap for balance in store.read_now(reconcile).values())


@pytest.mark.parametrize("mode", ["inline", "deferred"])
async def test_in_line_and_deferred_reading_end_in_the_same_record(
    store: Store, reader: Pipeline, mode: str, tmp_path: Path
) -> None:
    receipt = await desk(store, reader, mode)(arrival(**SAID))
    before = store.read_now(lambda tx: petitions.get(tx, receipt.case_no))
    assert before.status is (Status.REGISTERED if mode == "inline" else Status.RECEIVED)
    assert before.petition.content == SAID["content"]
    read_all(store, reader)
    case = store.read_now(lambda tx: petitions.get(tx, receipt.case_no))
    assert (case.status, case.petition.problem_region, case.petition.category[:2]) == (
        Status.REGISTERED,
        "620102",
        "03",
    )
    assert case.read_at is not None
    assert [step.event for step in store.read_now(lambda tx: history.of(tx, receipt.case_no))] == [
        "receive",
        "register",
    ]
    open_orders = [o for o in store.read_now(lambda tx: outbox.of(tx, receipt.case_no)) if o.state is OrderState.OPEN]
    assert [order.kind for order in open_orders] == ["dispatch"]
    assert gap(store) == 0
    assert verify(store, tmp_path) == []


async def test_the_same_arrival_again_gives_the_same_receipt(store: Store, reader: Pipeline) -> None:
    intake = desk(store, reader)
    first, again = await intake(arrival(**SAID)), await intake(arrival(**SAID))
    assert (again.case_no, again.query_code, again.received_at) == (first.case_no, first.query_code, first.received_at)
    assert (first.outcome, again.outcome) == (Outcome.PETITION, Outcome.LINKED)
    assert store.read_now(lambda tx: petitions.check_code(tx, first.case_no, again.query_code))


async def test_other_content_under_the_same_id_is_refused_and_told(store: Store, reader: Pipeline) -> None:
    intake = desk(store, reader)
    await intake(arrival(**SAID))
    with pytest.raises(IdempotencyConflict):
        await intake(replace(arrival(**SAID), raw=b'{"other": 1}'))
    assert store.read_now(reconcile)["web"].refused == 1
    assert gap(store) == 0


async def test_codes_differ_between_cases_and_are_stored_nowhere(
    store: Store, reader: Pipeline, tmp_path: Path
) -> None:
    intake = desk(store, reader)
    codes = {(await intake(arrival(raw_id=f"r{i}", **SAID))).query_code for i in range(5)}
    assert len(codes) == 5
    await store.write(lambda tx: None)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for code in codes:
        assert code.encode() not in kept
        assert code.replace("-", "").encode() not in kept


async def test_nothing_personal_is_readable_on_the_disk(store: Store, reader: Pipeline, tmp_path: Path) -> None:
    for mode in ("inline", "deferred"):
        big = replace(arrival(raw_id=mode, **SAID), raw="张示例 15400000001".encode() * 9000)
        assert len(big.raw) > INLINE
        await desk(store, reader, mode)(big)
        await desk(store, reader, mode)(
            replace(arrival(raw_id=mode + "2", **SAID), raw="张示例 620199198503120012".encode())
        )
    store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in ("张示例", "15400000001", "620199198503120012", "演示小区"):
        assert secret.encode() not in kept, secret


async def test_a_broken_stage_holds_the_arrival_and_the_citizen_still_gets_a_number(
    store: Store, reader: Pipeline, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Pipeline((*reader.stages, Breaks()))
    for mode in ("inline", "deferred"):
        receipt = await desk(store, broken, mode)(arrival(raw_id=mode, **SAID))
        assert receipt.query_code
        read_all(store, broken)
        case = case_of(store, receipt.case_no)
        assert case.standing is Outcome.HELD
        assert "breaks" in case.hold_reason
        assert "15400000001" not in case.hold_reason
        after = await store.write(partial(released, case))
        assert (after.standing, after.status) == (Outcome.PETITION, Status.REGISTERED)
    assert gap(store) == 0
    assert verify(store, tmp_path) == []
    assert "15400000001" not in caplog.text


async def test_a_forged_arrival_is_held_with_its_reason(store: Store, reader: Pipeline) -> None:
    receipt = await desk(store, reader)(replace(arrival(**SAID), hold="signature"))
    case = store.read_now(lambda tx: petitions.get(tx, receipt.case_no))
    assert (case.standing, case.hold_reason) == (Outcome.HELD, "signature")
    assert store.read_now(reconcile)["web"].held == 1
    assert gap(store) == 0


async def test_files_are_kept_by_digest_and_named_in_record_and_ledger(
    store: Store, reader: Pipeline, tmp_path: Path
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"a photograph")
    uploads = (
        Upload(name="照片.jpg", media_type="image/jpeg", path=path),
        Upload(name="说明.txt", media_type="text/plain", body="说明".encode()),
    )
    receipt = await desk(store, reader)(replace(arrival(**SAID), uploads=uploads))
    record = store.read_now(lambda tx: petitions.get(tx, receipt.case_no)).petition
    assert [(file.name, store.files.open(file.sha256)) for file in record.attachments] == [
        ("照片.jpg", b"a photograph"),
        ("说明.txt", "说明".encode()),
    ]
    assert not path.exists()
    assert verify(store, tmp_path) == []


async def test_a_supplement_joins_the_record_and_is_dispatched_again(store: Store, reader: Pipeline) -> None:
    intake = desk(store, reader)
    receipt = await intake(arrival(**SAID))
    more = arrival(raw_id="more", content="补充:另有收费票据。")
    more = replace(more, sub_source=f"supplement:{receipt.case_no}", raw=b"more")
    more = replace(more, uploads=(Upload(name="票据.txt", media_type="text/plain", body=b"1"),))
    told = await intake(more)
    assert (told.case_no, told.outcome, told.query_code) == (receipt.case_no, Outcome.LINKED, "")
    read_all(store, reader)
    record = store.read_now(lambda tx: petitions.get(tx, receipt.case_no)).petition
    assert record.content.startswith(SAID["content"])
    assert record.content.endswith("补充:另有收费票据。")
    assert [file.name for file in record.attachments] == ["票据.txt"]
    kinds = [(o.kind, o.payload.get("because")) for o in store.read_now(lambda tx: outbox.of(tx, receipt.case_no))]
    assert kinds == [("dispatch", None), ("read", None), ("dispatch", "supplement")]
    assert gap(store) == 0


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("an accusation", {"purpose": Purpose.ACCUSATION}),
        ("somebody accused", {"accused": (Accused(unit="虚构村委会"),)}),
        ("secrecy asked for", {"confidential": True}),
        ("nobody named", {"is_anonymous": True}),
    ],
)
async def test_what_may_be_an_accusation_is_sealed_before_anybody_read_it(
    store: Store, reader: Pipeline, label: str, said: dict[str, Any]
) -> None:
    receipt = await desk(store, reader, "deferred")(arrival(content="村里账目不清,要求查处。", **said))
    assert store.read_now(lambda tx: petitions.get(tx, receipt.case_no)).lane is Lane.SEALED


async def test_a_second_filing_by_the_same_person_is_proposed_as_a_link(store: Store, reader: Pipeline) -> None:
    intake = desk(store, reader)
    first = await intake(arrival(**SAID))
    second = await intake(arrival(raw_id="raw-2", **SAID))
    assert second.case_no != first.case_no
    record = store.read_now(lambda tx: petitions.get(tx, second.case_no)).petition
    assert [(one.case_no, one.kind.value) for one in record.related] == [(first.case_no, "LINK")]
    assert record.is_repeat
    await store.write(lambda tx: tx.connection.execute(update(tables.petitions).values(lane="sealed")) and None)
    third = await intake(arrival(raw_id="raw-3", **SAID))
    assert store.read_now(lambda tx: petitions.get(tx, third.case_no)).petition.related == ()


async def test_a_crowd_is_deferred_and_a_calm_door_reads_in_line(store: Store, reader: Pipeline) -> None:
    intake = desk(store, reader, "auto")
    receipts = await asyncio.gather(*(intake(arrival(raw_id=f"r{i}", **SAID)) for i in range(3 * CROWD)))
    statuses = [case_of(store, one.case_no).status for one in receipts]
    assert statuses.count(Status.RECEIVED) >= CROWD
    calm = await intake(arrival(raw_id="calm", **SAID))
    assert store.read_now(lambda tx: petitions.get(tx, calm.case_no)).status is Status.REGISTERED


def test_the_governor_defers_long_texts_and_crowds() -> None:
    time = [0.0]
    governor = Governor("auto", lambda: time[0])
    assert governor.reads_now(LONG)
    assert not governor.reads_now(LONG + 1)
    stack = [governor.inside() for _ in range(CROWD + 1)]
    for one in stack:
        one.__enter__()
    assert not governor.reads_now(10)
    assert governor.busy()
    for one in stack:
        one.__exit__(None, None, None)
    assert governor.reads_now(10)
    time[0] += 10
    assert not governor.busy()


def test_reading_in_line_takes_no_more_than_its_share_of_the_door() -> None:
    time = [0.0]
    governor = Governor("auto", lambda: time[0])
    spent = 0.0
    for _ in range(2000):
        if governor.reads_now(100):
            with governor.reading():
                time[0] += 0.002
                spent += 0.002
        else:
            assert governor.busy()
            time[0] += 0.002
    assert 0.12 < spent / time[0] < 0.2
    assert governor.texts == round(spent / 0.002)


async def test_an_event_told_another_way_gets_the_code_of_the_first_telling(
    store: Store, reader: Pipeline, tmp_path: Path
) -> None:
    intake = desk(store, reader)
    listed = replace(arrival(**SAID), raw_id="M1:listed", event="M1:in")
    first = await intake(listed)
    late = await intake(replace(arrival(**SAID), raw_id="M1:in", raw=b"as a webhook tells it"))
    again = await intake(listed)
    for one in (late, again):
        assert (one.case_no, one.query_code, one.outcome) == (first.case_no, first.query_code, Outcome.LINKED)
    assert store.read_now(lambda tx: petitions.check_code(tx, first.case_no, late.query_code))
    assert gap(store) == 0
    assert verify(store, tmp_path) == []
