"""The seat feed and the switchboard over a real store: pages hear of calls, callers are told the truth."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from casework.calls import Calls
from channels.switchboard import Call
from config.reference import load_reference
from gateway.seat_feed import SeatFeed
from gateway.switchboard import SeatBoard
from petition.clock import SHANGHAI
from store import callbacks
from store.database import Store, open_store
from tests.casework.samples import parts_of

AT = datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI)
CALL = Call(channel="voice", id="c1", number="+8615400000001", line="12345", at=AT)


@pytest.fixture(scope="module")
def verbs() -> Calls:
    parts = parts_of(load_reference())
    return Calls(parts.permissions, parts.desk.engine)


@pytest.fixture
def store(tmp_path: Path, blank: Path) -> Iterator[Store]:
    shutil.copy(blank, tmp_path)
    opened = open_store("", tmp_path, b"a secret for tests, 32 bytes or more", min_free=0)
    yield opened
    opened.close()


async def next_mark(stream: AsyncGenerator[str, None]) -> str:
    return await asyncio.wait_for(anext(stream), 5)


async def test_a_seat_hears_of_a_call_at_once_and_the_caller_of_the_seat(store: Store, verbs: Calls) -> None:
    feed = SeatFeed(store, verbs.sweep, look=60)
    board = SeatBoard(store, verbs, feed.wake)
    assert await board.ring(CALL) is False
    stream = feed.follow("zuoxi", "")
    first = await next_mark(stream)
    assert await board.ring(CALL) is True
    await board.over("voice", "c1", AT)
    second = await next_mark(stream)
    assert second != first
    await board.call_back(CALL, "明早打来")
    [task] = await store.read(callbacks.open_ones)
    assert task.wish == "明早打来"
    third = await next_mark(stream)
    await stream.aclose()

    # Who comes again with what it knew last hears nothing twice, and learns of what it missed.
    again = feed.follow("zuoxi", third)
    waiting = asyncio.ensure_future(next_mark(again))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    await board.ring(Call(channel="voice", id="c2", number="", line="", at=AT))
    assert await waiting not in (first, second, third)
    await again.aclose()
    for _ in range(100):
        if not await board.ring(CALL):
            break
        await asyncio.sleep(0.01)
    assert await board.ring(CALL) is False, "nobody sits there any more"


async def test_another_process_is_heard_at_the_next_look(store: Store, verbs: Calls) -> None:
    feed = SeatFeed(store, verbs.sweep, look=0.02)
    elsewhere = SeatBoard(store, verbs, lambda: None)
    stream = feed.follow("zuoxi", "")
    first = await next_mark(stream)
    assert await elsewhere.ring(CALL) is True
    assert await next_mark(stream) != first
    await stream.aclose()


async def test_a_stream_ends_with_its_life_and_with_the_house(store: Store, verbs: Calls) -> None:
    short = SeatFeed(store, verbs.sweep, life=0.3)
    assert len([mark async for mark in short.follow("zuoxi", "")]) == 1
    closing = SeatFeed(store, verbs.sweep, lambda: True)
    assert [mark async for mark in closing.follow("zuoxi", "")] == []


async def test_a_store_that_stumbles_ends_no_stream(store: Store, verbs: Calls) -> None:
    feed = SeatFeed(store, verbs.sweep, look=0.02)
    stream = feed.follow("zuoxi", "")
    await next_mark(stream)
    store.writer.broken = "for the test"
    feed.wake()
    await asyncio.sleep(0.04)
    store.writer.broken = ""
    assert await SeatBoard(store, verbs, feed.wake).ring(CALL) in (True, False)
    assert await next_mark(stream)
    await stream.aclose()
