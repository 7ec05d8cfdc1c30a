"""What became of text messages: one process at a time, ends that stay, and nothing kept for ever; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from petition.clock import SHANGHAI
from store import tables, texts
from store.database import Store, open_store
from store.texts import TextState
from tests.store.conftest import SECRET

MOBILE = "+8615400000006"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=SHANGHAI)


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def two(url: str, tmp_path: Path, clock: Clock) -> Iterator[tuple[Store, Store]]:
    """Two processes on one database; on SQLite only one may write, so it stands for both."""
    first = open_store(url, tmp_path, SECRET, clock, min_free=0)
    second = first if url.startswith("sqlite") else open_store(url, tmp_path / "b", SECRET, clock, min_free=0)
    yield first, second
    first.close()
    if second is not first:
        second.close()


def state(store: Store, order_id: int) -> TextState:
    found = store.read_now(lambda tx: texts.find(tx, order_id))
    assert found is not None
    return found.state


def test_only_one_process_sends(two: tuple[Store, Store], clock: Clock) -> None:
    first, second = two
    code = texts.recipient(first.vault, MOBILE)
    began = [one.write_now(lambda tx: texts.begin(tx, 1, code, None)) for one in two]
    assert began == [True, False]
    before = second.read_now(lambda tx: texts.find(tx, 1))
    clock.at += timedelta(minutes=5)
    again = [one.write_now(lambda tx: texts.begin(tx, 1, code, before)) for one in two]
    assert again == [True, False], "whoever looked at the older state comes too late"


def test_an_end_stays(two: tuple[Store, Store]) -> None:
    store, _ = two
    code = texts.recipient(store.vault, MOBILE)
    store.write_now(lambda tx: texts.begin(tx, 1, code, None))
    assert store.write_now(lambda tx: texts.note(tx, 1, TextState.FAILED, message_id="SM1", reason="30005"))
    assert not store.write_now(lambda tx: texts.note(tx, 1, TextState.ACCEPTED, message_id="SM1"))
    assert not store.write_now(lambda tx: texts.note(tx, 2, TextState.ACCEPTED)), "of an order nobody sent"
    assert state(store, 1) is TextState.FAILED


def test_the_day_begins_at_midnight_here(two: tuple[Store, Store], clock: Clock) -> None:
    store, _ = two
    code = texts.recipient(store.vault, MOBILE)
    clock.at = datetime(2026, 11, 21, 23, 59, tzinfo=SHANGHAI)
    store.write_now(lambda tx: texts.begin(tx, 1, code, None))
    clock.at = datetime(2026, 11, 22, 0, 1, tzinfo=SHANGHAI)
    for number in (2, 3):
        store.write_now(lambda tx, number=number: texts.begin(tx, number, code, None))  # type: ignore[misc]
    store.write_now(lambda tx: texts.note(tx, 3, TextState.READY, reason="忙"))
    assert store.read_now(lambda tx: texts.today(tx, code, 9)) == 1
    assert store.read_now(lambda tx: texts.today(tx, code, 2)) == 0, "not counted against itself"
    other = texts.recipient(store.vault, "+8615400000007")
    assert store.read_now(lambda tx: texts.today(tx, other, 9)) == 0


def test_what_is_over_is_forgotten_and_what_waits_is_not(two: tuple[Store, Store], clock: Clock) -> None:
    store, _ = two
    code = texts.recipient(store.vault, MOBILE)
    for number in (1, 2):
        store.write_now(lambda tx, number=number: texts.begin(tx, number, code, None))  # type: ignore[misc]
    store.write_now(lambda tx: texts.note(tx, 1, TextState.DELIVERED, message_id="SM1"))
    assert store.write_now(lambda tx: texts.forget(tx, timedelta(days=90))) == 0
    clock.at += timedelta(days=91)
    assert store.write_now(lambda tx: texts.forget(tx, timedelta(days=90))) == 1
    [left] = store.read_now(lambda tx: tx.connection.execute(select(tables.texts.c.order_id)).scalars().all())
    assert left == 2


def test_no_number_is_readable(two: tuple[Store, Store]) -> None:
    store, _ = two
    code = texts.recipient(store.vault, MOBILE)
    store.write_now(lambda tx: texts.begin(tx, 1, code, None))
    [row] = store.read_now(lambda tx: tx.connection.execute(select(tables.texts)).all())
    assert "15400000006" not in repr(row)
    assert code not in (store.vault.index("mobile", MOBILE), store.vault.index("opt-out", MOBILE))
