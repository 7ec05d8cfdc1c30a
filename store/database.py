"""The database (数据库): opens SQLite or PostgreSQL, and bundles writer, readers, vault and files into one store."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, make_url, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from petition import clock
from petition.clock import Clock
from petition.errors import Unavailable
from store import tables
from store.checkpoints import Checkpoints
from store.entry import Entered, Entry
from store.files import Files
from store.ledger import Chain
from store.records import Records
from store.transaction import Transaction, Work
from store.vault import Vault
from store.writer import QUEUE, Writer

T = TypeVar("T")

READERS = 4
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=5000",
    "foreign_keys=ON",
    "wal_autocheckpoint=2000",
    "journal_size_limit=67108864",
)


@dataclass(frozen=True)
class Store:
    """The memory of the house. Work gets a `Transaction`; what it returns must be plain values."""

    url: str
    reading: Engine
    writer: Writer
    vault: Vault
    records: Records
    files: Files
    clock: Clock
    readers: ThreadPoolExecutor

    async def enter(self, entry: Entry) -> Entered:
        """Enter one inbound event into the ledger; returns after COMMIT. Raises Unavailable, LowDisk."""
        entered: Entered = await self.writer.write(entry)
        return entered

    async def write(self, work: Work[T]) -> T:
        """Run work in the writer; returns after COMMIT. Raises what the work raises, or Unavailable."""
        result: T = await self.writer.write(work)
        return result

    def write_now(self, work: Work[T]) -> T:
        """As `write`, for threads; never call it on a loop."""
        result: T = self.writer.write_now(work)
        return result

    async def read(self, work: Work[T]) -> T:
        """Run read-only work in one of a few reader threads."""
        return await asyncio.get_running_loop().run_in_executor(self.readers, self.read_now, work)

    def read_now(self, work: Work[T]) -> T:
        """Run read-only work here; keep it short."""
        try:
            # One snapshot for the whole work: two reads in it never see two different moments.
            with self.reading.connect() as connection, connection.begin():
                return work(Transaction(connection, self.vault, self.records, self.clock()))
        except DBAPIError as problem:
            raise Unavailable() from problem

    def check(self) -> None:
        """Raise Unavailable unless the store can keep a promise now."""
        if self.writer.broken:
            raise Unavailable("存储设备出现故障,系统已停止受理,请联系管理员。")
        self.files.check_room()
        self.read_now(lambda tx: tx.connection.execute(select(tables.counters.c.name).limit(1)).all())

    def close(self, timeout: float = 8.0) -> None:
        """Commit what waits, leave a checkpoint, close everything."""
        self.writer.close(timeout)
        self.readers.shutdown(wait=True, cancel_futures=True)
        self.reading.dispose()


def database_url(url: str, data: Path) -> str:
    """The address to open: the given one, or the SQLite file of the data folder."""
    return url or f"sqlite:///{data / 'gateway.db'}"


def open_store(
    url: str,
    data: Path,
    secret: bytes,
    now: Clock = clock.now,
    *,
    min_free: int = 512 << 20,
    queue_limit: int = QUEUE,
    told: frozenset[str] = frozenset(),
) -> Store:
    """Open a migrated database; the writer's connection is open on return.

    url: empty or an SQLAlchemy address (sqlite, postgresql+psycopg); secret: SECRET_KEY's bytes; told: statuses whose
    reaching orders a notice to the petitioner, none while no text message leaves the house.
    """
    data.mkdir(parents=True, exist_ok=True)
    url = database_url(url, data)
    vault, records = Vault(secret), Records()
    files = Files(data / "blobs", vault, min_free)
    chain = Chain(Checkpoints(data / "checkpoints.jsonl", vault, now).note)
    writer = Writer(writing_engine(url), vault, records, now, chain, files.check_room, queue_limit, told)
    writer.start()
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
    return Store(url, reading_engine(url), writer, vault, records, files, now, readers)


def open_reading(url: str, data: Path, secret: bytes, now: Clock = clock.now) -> Store:
    """Open a database beside a running gateway, to read only: its writer refuses every work."""
    vault, records = Vault(secret), Records()
    files = Files(data / "blobs", vault, 0)
    writer = Writer(writing_engine(url), vault, records, now, Chain(), files.check_room)
    writer.broken = "opened to read only"
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
    return Store(url, reading_engine(url), writer, vault, records, files, now, readers)


def writing_engine(url: str) -> Engine:
    """An engine with one connection and BEGIN IMMEDIATE on SQLite, so that a commit never starts as a reader."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_size=1, max_overflow=0, hide_parameters=True)
    engine = create_engine(url, poolclass=QueuePool, pool_size=1, max_overflow=0, hide_parameters=True)
    event.listen(engine, "connect", _own_transactions)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE") and None)
    return engine


def reading_engine(url: str) -> Engine:
    """A small read-only pool; SQLite readers cannot write or checkpoint (the WAL-reset bug needs two that do)."""
    made = make_url(url)
    if made.get_backend_name() != "sqlite":
        return create_engine(
            url,
            pool_size=READERS,
            max_overflow=2,
            pool_pre_ping=True,
            hide_parameters=True,
            isolation_level="REPEATABLE READ",
            connect_args={"options": "-c default_transaction_read_only=on -c statement_timeout=5000"},
        )
    path = Path(made.database or "").absolute().as_uri()
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(f"{path}?mode=ro", uri=True, check_same_thread=False),
        poolclass=QueuePool,
        pool_size=READERS,
        max_overflow=2,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _query_only)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN") and None)
    return engine


def _own_transactions(connection: Any, record: object) -> None:
    connection.isolation_level = None  # we begin and commit ourselves
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _query_only(connection: Any, record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA busy_timeout=5000")
