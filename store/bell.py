"""The bell (铃): calls the writer once a loop has brought what it had at hand, so that many works share one commit."""

from __future__ import annotations

import asyncio
import queue
import time

GATHER = 0.020  # seconds a work waits at most for others; only a loop that is busy bringing them makes it wait
CALM = 0.0003  # a turn of the loop shorter than this, which brought nothing, had nothing to do
TURNS = 4  # turns without a new work after which a busy loop is busy with something else; a request takes three


class Bell:
    """Rung by threads at once, and for a loop when it has a turn to spare.

    A commit of many works costs little more than a commit of one, and two threads that fight for the interpreter cost
    more than both their works. A loop that is idle lets nobody wait: its bell rings in its very next turn.
    """

    def __init__(self) -> None:
        self._rung: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._watched: asyncio.AbstractEventLoop | None = None
        self._brought = 0
        self._since = 0.0

    def wait(self) -> None:
        """Until it is rung; a ring that nobody waited for is not lost."""
        self._rung.get()

    def ring(self) -> None:
        """Something is there: called by threads, and for the end."""
        self._rung.put(None)

    def announce(self, loop: asyncio.AbstractEventLoop) -> None:
        """The running loop brought a work and may be about to bring more."""
        now = time.monotonic()
        self._brought += 1
        if self._watched is not loop:
            self._watched, self._since = loop, now
            loop.call_soon(self._look, loop, self._brought, now, 0)
        elif now - self._since >= GATHER:
            # Its turn is long: what was brought so far need not wait for the rest.
            self._since = now
            self.ring()

    def _look(self, loop: asyncio.AbstractEventLoop, brought: int, looked: float, turns: int) -> None:
        now = time.monotonic()
        turns = turns + 1 if brought == self._brought else 0
        idle = (turns and now - looked < CALM) or turns >= TURNS
        if idle or now - self._since >= GATHER or self._watched is not loop:
            if self._watched is loop:
                self._watched = None
            self.ring()
        else:
            loop.call_soon(self._look, loop, self._brought, now, turns)
