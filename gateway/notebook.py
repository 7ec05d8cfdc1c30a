"""The stored notebook (记事本): `channels.notebook.Notebook` over the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from channels.notebook import Page
from store import notes
from store.database import Store
from store.notes import StoredNote


class StoredNotebook:
    """Pages in the database: shared by processes, kept over a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def look(self, book: str, key: str) -> Page | None:
        """The page as it stands, or None."""
        found = await self._store.read(lambda tx: notes.look(tx, book, key))
        return None if found is None else _page(found)

    async def put(self, book: str, key: str, content: Mapping[str, Any], version: int) -> int:
        """Write the page if it still has this version; Conflict when somebody was faster."""
        return await self._store.write(lambda tx: notes.put(tx, book, key, content, version))

    async def tear(self, book: str, key: str, version: int) -> None:
        """Take the page out if it still has this version; Conflict when somebody was faster."""
        await self._store.write(lambda tx: notes.tear(tx, book, key, version))

    async def quiet(self, book: str, before: datetime, limit: int = 100) -> Sequence[Page]:
        """Pages nobody touched since, the quietest first."""
        return [_page(one) for one in await self._store.read(lambda tx: notes.quiet(tx, book, before, limit))]


def _page(note: StoredNote) -> Page:
    return Page(key=note.key, content=note.content, version=note.version, touched_at=note.touched_at)
