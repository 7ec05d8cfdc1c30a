"""The writer (写入线程): one thread, one connection, group commit; nothing is answered before COMMIT."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, InternalError, OperationalError

from petition.clock import Clock
from petition.errors import LowDisk, PetitionError, Unavailable
from store.bell import Bell
from store.entry import Entered, Entry
from store.ledger import Chain
from store.records import Records
from store.transaction import Transaction, Work
from store.vault import Vault

BATCH = 256  # rows of one commit; beyond it a commit gains little and each sender waits longer
QUEUE = 5000  # waiting works; beyond it the honest answer is "come again"

# These say that the database failed, not that one work was wrong.
_DATABASE_FAILED = (OperationalError, InterfaceError, InternalError)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Job:
    work: Entry | Work[Any]
    loop: asyncio.AbstractEventLoop | None
    future: asyncio.Future[Any] | Future[Any]
    since: float
    result: Any = None
    problem: BaseException | None = None


class Writer:
    """The only writer of this process. check_room raises LowDisk when nothing more can be promised; told: statuses of
    which petitioners are told by text message."""

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        records: Records,
        clock: Clock,
        chain: Chain,
        check_room: Callable[[], None],
        queue_limit: int = QUEUE,
        told: frozenset[str] = frozenset(),
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._records = records
        self._clock = clock
        self._chain = chain
        self._check_room = check_room
        self._queue_limit = queue_limit
        self._told = told
        self._waiting: deque[_Job] = deque()
        self._bell = Bell()
        self._connection: Connection | None = None
        self._closing = False
        self._oldest: float | None = None
        self.broken = ""
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Open the connection now, so that a wrong database stops the start and not the first citizen."""
        self._open()
        self._thread.start()

    @property
    def depth(self) -> int:
        """Works that wait for their commit."""
        return len(self._waiting)

    @property
    def oldest_wait(self) -> float:
        """Seconds the oldest work of the present batch has waited; 0 when idle."""
        since = self._oldest
        return 0.0 if since is None else time.monotonic() - since

    async def write(self, work: Entry | Work[Any]) -> Any:
        """Run the work and commit. A caller who is cancelled only stops waiting: the work is with the queue."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._put(_Job(work, loop, future, time.monotonic()))
        self._bell.announce(loop)
        return await future

    def write_now(self, work: Entry | Work[Any]) -> Any:
        """As `write`, from a thread other than the loop's."""
        future: Future[Any] = Future()
        self._put(_Job(work, None, future, time.monotonic()))
        self._bell.ring()
        return future.result()

    def close(self, timeout: float = 8.0) -> None:
        """Commit what waits, then stop; new work is refused from now on."""
        self._closing = True
        self._bell.ring()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _put(self, job: _Job) -> None:
        if self._closing or self.broken:
            raise Unavailable()
        if len(self._waiting) >= self._queue_limit:
            raise Unavailable(retry_after=10)
        self._waiting.append(job)

    def _run(self) -> None:
        while not (self._closing and not self._waiting):
            if not self._closing:
                self._bell.wait()
            while jobs := self._drain():
                self._oldest = jobs[0].since
                self._commit(jobs)
                self._oldest = None
                _tell(jobs)
                if len(jobs) < BATCH:
                    break
        if self._connection is not None:
            self._chain.farewell()
            self._drop()

    def _drain(self) -> list[_Job]:
        jobs: list[_Job] = []
        while self._waiting and len(jobs) < BATCH:
            jobs.append(self._waiting.popleft())
        return jobs

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            self._together(jobs)
        except Exception as problem:
            self._forget(problem)
            if len(jobs) == 1 or isinstance(problem, _DATABASE_FAILED):
                # The database itself failed: trying each work alone would only make everybody wait longer.
                for job in jobs:
                    job.problem = _plain(problem)
                return
            # One bad work must not fail its neighbours: each gets a transaction of its own.
            for job in jobs:
                job.problem = None
                if self.broken:
                    job.problem = Unavailable()
                    continue
                try:
                    self._together([job])
                except Exception as own:
                    self._forget(own)
                    job.problem = _plain(own)

    def _together(self, jobs: list[_Job]) -> None:
        connection = self._connection or self._open()
        transaction = Transaction(connection, self._vault, self._records, self._clock(), self._told)
        with connection.begin():
            entries = [job for job in jobs if isinstance(job.work, Entry)]
            if entries:
                self._check_room()
                entered: list[Entered] = self._chain.enter(transaction, [job.work for job in entries])  # type: ignore[misc]
                for job, result in zip(entries, entered, strict=True):
                    job.result = result
            for job in jobs:
                if not isinstance(job.work, Entry):
                    job.result = job.work(transaction)
        self._chain.committed()

    def _open(self) -> Connection:
        connection = self._engine.connect()
        try:
            self._chain.take_slot(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _forget(self, problem: Exception) -> None:
        """After any failed commit nothing cached may be trusted."""
        self._chain.forget()
        if isinstance(problem, PetitionError | IntegrityError):
            return
        if isinstance(problem, DBAPIError):
            log.error("commit failed", problem=type(problem.orig).__name__, text=str(problem.orig))
            if "disk I/O error" in str(problem.orig):
                # After a failed fsync the kernel may have dropped the pages: going on could lose what was promised.
                self.broken = "disk I/O error"
            self._drop()
        else:
            log.error("work failed", problem=repr(problem))

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.invalidate()
                connection.close()
            except DBAPIError:
                log.warning("the dropped connection did not close cleanly")


def _plain(problem: Exception) -> Exception:
    if isinstance(problem, _DATABASE_FAILED):
        text = str(problem.orig)
        return LowDisk() if "full" in text or "No space" in text else Unavailable()
    return problem


def _tell(jobs: list[_Job]) -> None:
    """Settle the futures: one wake-up for each loop, not one for each work."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        if job.loop is None:
            _settle(job)
        else:
            by_loop.setdefault(job.loop, []).append(job)
    for loop, waiting in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle_all, waiting)
        except RuntimeError:
            log.warning("the loop closed before its answers came", count=len(waiting))


def _settle_all(jobs: list[_Job]) -> None:
    for job in jobs:
        _settle(job)


def _settle(job: _Job) -> None:
    if job.future.done():
        return
    if job.problem is not None:
        job.future.set_exception(job.problem)
    else:
        job.future.set_result(job.result)
