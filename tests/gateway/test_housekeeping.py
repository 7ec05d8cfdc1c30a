"""Housekeeping: what a crash left behind goes, what is on its way stays."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from gateway.housekeeping import STALE, clear_spool, keep_house
from petition import clock
from petition.errors import Unavailable
from store import drafts
from store.database import Store, database_url, open_store
from store.migrate import migrate


def test_only_stale_bodies_leave_the_spool(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "body").write_bytes(b"x")
    os.utime(tmp_path / "old", (1000.0, 1000.0))
    os.utime(tmp_path / "new", (1000.0 + STALE, 1000.0 + STALE))
    clear_spool(tmp_path, 1001.0 + STALE)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    clear_spool(tmp_path / "missing", 0.0)


@pytest.mark.parametrize("fails", [False, True])
async def test_old_drafts_go_and_a_failure_is_tried_again(tmp_path: Path, fails: bool) -> None:
    url = database_url("", tmp_path)
    migrate(url)
    store: Store = open_store(url, tmp_path, b"a secret for tests, 32 bytes or more", min_free=0)
    await store.write(lambda tx: drafts.create(tx, "a-token-of-forty-characters-for-the-test", {}))
    await store.write(lambda tx: tx.connection.exec_driver_sql("UPDATE drafts SET touched_at = 1") and None)
    failures = iter([True] if fails else [])
    write = store.write

    class Moody:
        """A store that does not answer at first."""

        async def write(self, work: object) -> object:
            if next(failures, False):
                raise Unavailable()
            return await write(work)  # type: ignore[arg-type]

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

    keeping = asyncio.create_task(keep_house(Moody(), clock.now, every=0.01))  # type: ignore[arg-type]
    for _ in range(200):
        await asyncio.sleep(0.01)
        if store.read_now(drafts.count) == 0:
            break
    keeping.cancel()
    assert store.read_now(drafts.count) == 0
    store.close()
