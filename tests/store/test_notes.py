"""Notes of conversations: sealed, found by their key only, guarded by a version, forgotten; both twins alike."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from channels.notebook import Notebook, PocketNotebook
from gateway.notebook import StoredNotebook
from petition import clock
from petition.errors import Conflict
from store import notes, tables
from store.database import Store

BOOK, KEY = "wechat", "oDemo-1"
SAID = {"step": "telling", "words": "示例\x00😀", "list": [1, None]}


@pytest.fixture(params=["stored", "pocket"])
def notebook(request: pytest.FixtureRequest, store: Store) -> Notebook:
    return PocketNotebook() if request.param == "pocket" else StoredNotebook(store)


async def test_a_page_is_written_changed_and_torn(notebook: Notebook) -> None:
    assert await notebook.look(BOOK, KEY) is None
    assert await notebook.put(BOOK, KEY, SAID, 0) == 1
    page = await notebook.look(BOOK, KEY)
    assert page is not None
    assert (page.key, page.content, page.version) == (KEY, SAID, 1)
    assert await notebook.look("voice", KEY) is None
    assert await notebook.put(BOOK, KEY, {}, 1) == 2
    await notebook.tear(BOOK, KEY, 2)
    await notebook.tear(BOOK, KEY, 2)
    assert await notebook.look(BOOK, KEY) is None


@pytest.mark.parametrize("version", [0, 1, 3])
async def test_the_slower_of_two_is_told(notebook: Notebook, version: int) -> None:
    await notebook.put(BOOK, KEY, {}, await notebook.put(BOOK, KEY, {}, 0))
    with pytest.raises(Conflict):
        await notebook.put(BOOK, KEY, SAID, version)
    with pytest.raises(Conflict):
        await notebook.tear(BOOK, KEY, version)
    with pytest.raises(Conflict):
        await notebook.put(BOOK, "nobody", SAID, 1)


async def test_of_many_at_once_one_wins(notebook: Notebook) -> None:
    tried = await asyncio.gather(*(notebook.put(BOOK, KEY, {}, 0) for _ in range(8)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in tried) == ["Conflict"] * 7 + ["int"]


async def test_quiet_pages_are_found_the_quietest_first(notebook: Notebook) -> None:
    for key in ("a", "b", "c"):
        await notebook.put(BOOK, key, {}, 0)
    await notebook.put("voice", "d", {}, 0)
    await notebook.put(BOOK, "a", {}, 1)
    later = clock.now() + timedelta(seconds=1)
    assert [page.key for page in await notebook.quiet(BOOK, later)] == ["b", "c", "a"]
    assert [page.key for page in await notebook.quiet(BOOK, later, 1)] == ["b"]
    assert list(await notebook.quiet(BOOK, later - timedelta(hours=1))) == []


def test_nothing_of_it_is_readable_in_the_database(store: Store) -> None:
    store.write_now(lambda tx: notes.put(tx, BOOK, KEY, SAID, 0))
    row = store.read_now(lambda tx: tuple(tx.connection.execute(select(tables.notes)).one()))
    assert not [cell for cell in row if isinstance(cell, bytes) and (b"oDemo" in cell or b"telling" in cell)]


def test_old_pages_expire(store: Store) -> None:
    store.write_now(lambda tx: notes.put(tx, BOOK, KEY, SAID, 0))
    assert store.write_now(lambda tx: notes.expire(tx, timedelta(days=1))) == 0
    assert store.write_now(lambda tx: notes.expire(tx, timedelta(seconds=-1))) == 1
