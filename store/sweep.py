"""The sweep (清扫): removes bodies that no ledger entry and no draft names - files of petitions never submitted."""

from __future__ import annotations

import json
from datetime import timedelta

from sqlalchemy import select

from petition.clock import Clock
from store import drafts, tables
from store.database import Store
from store.transaction import Transaction

# A body is on the disk before the transaction that names it; a younger one may still wait for its transaction.
YOUNG = timedelta(hours=48)


def sweep(store: Store, clock: Clock) -> int:
    """Remove what nobody names and is older than two days; returns how many. Blocks for a walk over the folder."""
    before = clock() - YOUNG
    for path in store.files.unfinished():
        if path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)
    old = [digest for digest, touched in store.files.every() if touched < before.timestamp()]
    if not old:
        return 0
    named = store.read_now(_named)
    gone = [digest for digest in old if digest not in named]
    for digest in gone:
        store.files.remove(digest)
    return len(gone)


def _named(tx: Transaction) -> frozenset[str]:
    found = set(drafts.digests(tx))
    rows = tx.connection.execution_options(yield_per=2000).execute(
        select(tables.ledger.c.digest, tables.ledger.c.files)
    )
    for digest, files in rows:
        found.add(digest)
        if files != "[]":
            found.update(json.loads(files))
    return frozenset(found)
