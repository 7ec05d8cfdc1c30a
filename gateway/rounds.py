"""The rounds (对账补收): again and again, every door whose provider keeps lists takes in what no webhook brought."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from channels.door import Door, Hall, Reconciling
from gateway.metrics import Metrics
from petition.errors import Conflict, PetitionError

BOOK = "rounds"  # in the notebook: when the last whole round of a door began
FIRST = 5.0  # seconds after the start
BACK = timedelta(hours=24)  # at least so far back after a start
OVERLAP = timedelta(hours=1)  # between two rounds: a list may show a message late
FARTHEST = timedelta(days=7)  # whatever happened, no farther back
_LONGEST = 900.0  # seconds of one round of one door

log = structlog.get_logger(__name__)


class Rounds:
    """The rounds of one process. Several processes may walk them at once: what is entered twice is one event."""

    def __init__(self, doors: tuple[Door, ...], hall: Hall, metrics: Metrics) -> None:
        self._doors = [door for door in doors if isinstance(door, Reconciling)]
        self._hall = hall
        self._metrics = metrics
        self._began: dict[str, datetime] = {}

    async def walk(self, every: float, first: float = FIRST) -> None:
        """Round after round until cancelled; a provider that is down disturbs nobody. every, first: seconds."""
        await asyncio.sleep(min(first, every))
        while self._doors:
            await self.round()
            await asyncio.sleep(every)

    async def round(self) -> None:
        """One round of every door; never raises but for being cancelled."""
        for door in self._doors:
            try:
                async with asyncio.timeout(_LONGEST):
                    await self._one(door.name, door)
            except PetitionError as problem:
                log.warning("a round did not come to its end", channel=door.name, problem=problem.code)
                self._metrics.rounds.labels(door.name, "failed").inc()
            except Exception as problem:
                # There may be a bug in us; the door itself stays open, and the next round tries again.
                log.error("a round did not come to its end", channel=door.name, problem=type(problem).__name__)
                self._metrics.rounds.labels(door.name, "failed").inc()

    async def _one(self, name: str, door: Reconciling) -> None:
        now = self._hall.clock()
        brought = await door.catch_up(self._hall, await self._since(name, now))
        self._began[name] = now
        await self._remember(name, now)
        self._metrics.rounds.labels(name, "whole").inc()
        for kind, number in brought.counts.items():
            if number:
                self._metrics.caught_up.labels(name, kind).inc(number)
        if any(brought.counts.values()):
            log.warning("taken in from the provider's list, no webhook brought it", channel=name, **brought.counts)

    async def _since(self, name: str, now: datetime) -> datetime:
        """An hour before the last whole round; after a start a day back, or as far as the house was away."""
        if name in self._began:
            since = self._began[name] - OVERLAP
        else:
            page = await self._hall.notebook.look(BOOK, name)
            since = now - BACK
            if page is not None:
                since = min(since, datetime.fromisoformat(str(page.content["began"])) - OVERLAP)
        return max(since, now - FARTHEST)

    async def _remember(self, name: str, now: datetime) -> None:
        page = await self._hall.notebook.look(BOOK, name)
        try:
            await self._hall.notebook.put(BOOK, name, {"began": now.isoformat()}, page.version if page else 0)
        except Conflict:
            return  # another process has just been round
