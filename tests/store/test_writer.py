"""The writer: one failing work never fails its neighbours; what failed is told; nothing cached survives a failure."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from petition.arrival import Outcome
from petition.errors import Conflict, LowDisk, Unavailable
from store import outbox, petitions
from store.database import Store, database_url, open_store
from store.entry import Entered
from store.migrate import migrate
from store.proof import verify
from store.reconciliation import reconcile
from store.transaction import Transaction
from tests.store.conftest import SECRET
from tests.store.entries import entry


def enter(store: Store, raw_id: str = "first") -> Entered:
    """Enter one event from a thread."""
    entered: Entered = store.writer.write_now(entry(store, raw_id))
    return entered


async def test_a_failing_work_fails_alone(store: Store) -> None:
    def bad(tx: Transaction) -> None:
        raise Conflict("no")

    results = await asyncio.gather(
        *(store.enter(entry(store, f"r{i}")) for i in range(10)), store.write(bad), return_exceptions=True
    )
    assert isinstance(results[-1], Conflict)
    assert len({one.case_no for one in results[:-1] if isinstance(one, Entered)}) == 10


async def test_a_cancelled_caller_does_not_undo_the_work(store: Store) -> None:
    task = asyncio.create_task(store.enter(entry(store)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.write(lambda tx: None)
    assert store.read_now(petitions.count) == 1


async def test_results_come_only_after_commit(store: Store) -> None:
    entered = await store.enter(entry(store))
    assert store.read_now(lambda tx: petitions.find(tx, entered.case_no)) is not None


async def test_a_full_queue_says_come_again(url: str, tmp_path: Path) -> None:
    store = open_store(url, tmp_path, SECRET, min_free=0, queue_limit=3)
    gate = threading.Event()
    blocked = asyncio.create_task(store.write(lambda tx: gate.wait(5)))
    await asyncio.sleep(0.2)
    waiting = [asyncio.create_task(store.write(lambda tx: None)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as refused:
        await store.write(lambda tx: None)
    assert refused.value.retry_after > 0
    gate.set()
    await asyncio.gather(blocked, *waiting)
    store.close()


async def test_after_close_new_work_is_refused_and_waiting_work_is_done(url: str, tmp_path: Path) -> None:
    store = open_store(url, tmp_path, SECRET, min_free=0)
    tasks = [asyncio.create_task(store.enter(entry(store, f"r{i}"))) for i in range(20)]
    await asyncio.sleep(0)
    await asyncio.to_thread(store.close)
    assert len({one.case_no for one in await asyncio.gather(*tasks)}) == 20
    with pytest.raises(Unavailable):
        store.write_now(lambda tx: None)


def test_a_locked_database_is_unavailable_and_works_again_afterwards(sqlite_store: Store, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    with pytest.raises(Unavailable):
        enter(sqlite_store)
    assert time.monotonic() - started < 8
    other.execute("ROLLBACK")
    other.close()
    assert enter(sqlite_store).case_no


def test_an_io_error_stops_all_writing(sqlite_store: Store) -> None:
    def fail(connection: object) -> None:
        raise OperationalError("COMMIT", {}, sqlite3.OperationalError("disk I/O error"))

    event.listen(sqlite_store.writer._engine, "commit", fail)
    with pytest.raises(Unavailable):
        enter(sqlite_store)
    event.remove(sqlite_store.writer._engine, "commit", fail)
    with pytest.raises(Unavailable):
        enter(sqlite_store)
    with pytest.raises(Unavailable):
        sqlite_store.check()


def test_low_disk_refuses_new_events_but_not_the_working_off(sqlite_store: Store) -> None:
    entered = enter(sqlite_store)
    sqlite_store.files.min_free = 1 << 60
    with pytest.raises(LowDisk):
        enter(sqlite_store, "second")
    order = sqlite_store.read_now(lambda tx: outbox.of(tx, entered.case_no))[0]
    assert sqlite_store.write_now(lambda tx: outbox.delivered(tx, order))


def test_a_failed_commit_leaves_no_hole_in_the_chain(sqlite_store: Store, tmp_path: Path) -> None:
    enter(sqlite_store, "one")
    once = iter([True])

    def fail(connection: object) -> None:
        if next(once, False):
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("database or disk is full"))

    event.listen(sqlite_store.writer._engine, "commit", fail)
    with pytest.raises(LowDisk):
        enter(sqlite_store, "two")
    enter(sqlite_store, "three")
    assert verify(sqlite_store, tmp_path) == []
    assert sqlite_store.read_now(petitions.count) == 2


def test_the_pragmas_are_those_that_keep_promises(sqlite_store: Store) -> None:
    def ask(tx: Transaction) -> tuple[object, ...]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return tuple(tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names)

    assert sqlite_store.write_now(ask) == ("wal", 2, 1, 5000)
    assert sqlite_store.read_now(lambda tx: tx.connection.exec_driver_sql("PRAGMA query_only").scalar()) == 1


async def test_one_read_sees_one_moment(store: Store) -> None:
    await store.enter(entry(store))

    def twice(tx: Transaction) -> tuple[int, int]:
        before = petitions.count(tx)
        store.writer.write_now(entry(store, "second"))
        return before, petitions.count(tx)

    assert await store.read(twice) == (1, 1)
    assert store.read_now(petitions.count) == 2


def test_a_checkpoint_that_cannot_be_written_enters_nothing_twice(tmp_path: Path) -> None:
    address = database_url("", tmp_path)
    migrate(address)
    (tmp_path / "checkpoints.jsonl").mkdir()
    store = open_store(address, tmp_path, SECRET, min_free=0)
    assert enter(store).outcome is Outcome.PETITION
    figures = store.read_now(reconcile)["web"]
    assert (figures.received, figures.linked) == (1, 0)
    (tmp_path / "checkpoints.jsonl").rmdir()
    enter(store, "second")
    store.close()
    assert len((tmp_path / "checkpoints.jsonl").read_text().splitlines()) == 2
