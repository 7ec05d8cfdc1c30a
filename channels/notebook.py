"""The notebook (记事本): what a door remembers of a conversation that is still going on, shared by all processes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from petition.clock import Clock, now
from petition.errors import Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page (一页). key: whose it is (a caller's number of the call, an openid); content: plain JSON values;

    version: 1 for a new page, one more with every change; touched_at: of the last change, aware.
    """

    key: str
    content: Mapping[str, Any]
    version: int
    touched_at: datetime


class Notebook(Protocol):
    """Pages by book (the name of a channel) and key; they survive a restart, and are sealed where they lie.

    A page nobody touches for a week is torn out: what has to stay belongs into a case.
    """

    async def look(self, book: str, key: str) -> Page | None:
        """The page as it stands, or None."""
        ...

    async def put(self, book: str, key: str, content: Mapping[str, Any], version: int) -> int:
        """Write the page if it still has this version (0: if there is none yet); the new version, after COMMIT.

        Conflict when somebody was faster: look again and decide again. Unavailable, LowDisk as everywhere.
        """
        ...

    async def tear(self, book: str, key: str, version: int) -> None:
        """Take the page out if it still has this version; Conflict when somebody was faster. Gone is no error."""
        ...

    async def quiet(self, book: str, before: datetime, limit: int = 100) -> Sequence[Page]:
        """Pages of a book that nobody touched since `before`, the quietest first."""
        ...


class PocketNotebook:
    """The null twin: a notebook in memory, which a restart empties."""

    def __init__(self, clock: Clock = now) -> None:
        self._clock = clock
        self._pages: dict[tuple[str, str], tuple[str, int, datetime]] = {}

    async def look(self, book: str, key: str) -> Page | None:
        """The page as it stands, or None."""
        kept = self._pages.get((book, key))
        return None if kept is None else _page(key, kept)

    async def put(self, book: str, key: str, content: Mapping[str, Any], version: int) -> int:
        """Write the page; Conflict when somebody was faster."""
        if self._version(book, key) != version:
            raise Conflict()
        self._pages[book, key] = (json.dumps(content), version + 1, self._clock())
        return version + 1

    async def tear(self, book: str, key: str, version: int) -> None:
        """Take the page out; Conflict when somebody was faster."""
        if self._version(book, key) not in (0, version):
            raise Conflict()
        self._pages.pop((book, key), None)

    async def quiet(self, book: str, before: datetime, limit: int = 100) -> Sequence[Page]:
        """Pages nobody touched since, the quietest first."""
        found = [_page(key, kept) for (name, key), kept in self._pages.items() if name == book and kept[2] < before]
        return sorted(found, key=lambda page: page.touched_at)[:limit]

    def _version(self, book: str, key: str) -> int:
        return self._pages[book, key][1] if (book, key) in self._pages else 0


def _page(key: str, kept: tuple[str, int, datetime]) -> Page:
    return Page(key=key, content=json.loads(kept[0]), version=kept[1], touched_at=kept[2])
