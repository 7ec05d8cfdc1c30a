"""The seat feed (坐席推送): who sits at the telephones, and a word to their pages when what they are shown changed."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

import structlog

from petition.errors import PetitionError
from store import calls
from store.database import Store
from store.transaction import Work

LOOK = 1.0  # seconds between two looks for what other processes changed; one small read for all seats of this one
SIT = 5.0  # seconds between two words that somebody sits here, and two sweeps
HEARTBEAT = 10.0  # seconds of silence after which a page hears that it is still connected
LIFE = 55.0  # seconds of one stream; the page comes again, and its sign-in is looked at anew

log = structlog.get_logger(__name__)


class SeatFeed:
    """One for a process. sweep: ends calls whose end got lost; closing: whether the house is being stopped."""

    def __init__(
        self,
        store: Store,
        sweep: Work[int],
        closing: Callable[[], bool] = lambda: False,
        *,
        look: float = LOOK,
        life: float = LIFE,
    ) -> None:
        self._store = store
        self._sweep = sweep
        self._closing = closing
        self._look = look
        self._life = life
        self._house = secrets.token_hex(8)
        self._present: Counter[str] = Counter()
        self._mark = ""
        self._sat = 0.0
        self._bell = asyncio.Event()
        self._listeners: set[asyncio.Event] = set()
        self._running: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Something changed in this process: nobody waits for the next look. Called on the loop."""
        self._bell.set()

    async def follow(
        self, officer: str, last: str, gone: Callable[[], bool] = lambda: False
    ) -> AsyncGenerator[str, None]:
        """Marks of what is shown, each once, and an empty one as heartbeat, until the life of a stream is over.

        last: the mark the page knows already (Last-Event-ID), so that nothing is sent twice or left out; gone:
        whether the page has closed its connection.
        """
        loop = asyncio.get_running_loop()
        mine = asyncio.Event()
        self._join(officer, mine)
        until, spoke = loop.time() + self._life, loop.time()
        try:
            while not self._closing() and not gone() and loop.time() < until:
                mine.clear()
                if self._mark and self._mark != last:
                    last, spoke = self._mark, loop.time()
                    yield last
                elif loop.time() - spoke >= HEARTBEAT:
                    spoke = loop.time()
                    yield ""
                with suppress(TimeoutError):
                    await asyncio.wait_for(mine.wait(), min(1.0, self._life))
        finally:
            self._leave(officer, mine)

    def _join(self, officer: str, mine: asyncio.Event) -> None:
        self._listeners.add(mine)
        self._present[officer] += 1
        self._sat = 0.0
        self._bell.set()
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().create_task(self._run())

    def _leave(self, officer: str, mine: asyncio.Event) -> None:
        self._listeners.discard(mine)
        self._present[officer] -= 1
        if self._present[officer] <= 0:
            del self._present[officer]
            self._sat = 0.0
            self._bell.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            here = sorted(self._present)
            try:
                if not self._sat or loop.time() - self._sat >= SIT or not here:
                    self._sat = loop.time()
                    await self._store.write(lambda tx, here=here: calls.sit(tx, self._house, here))  # type: ignore[misc]
                    await self._store.write(self._sweep)
                mark = await self._store.read(calls.mark)
            except PetitionError as problem:
                log.warning("the seats were not told", problem=problem.code)
                mark = self._mark
            if mark != self._mark:
                self._mark = mark
                for listener in self._listeners:
                    listener.set()
            if not here and not self._present:
                # What is remembered would be old when somebody sits down again.
                self._mark = ""
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), self._look)
            self._bell.clear()
