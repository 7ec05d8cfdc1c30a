"""Housekeeping (日常清理): what was never submitted is kept no longer than it is needed (PIPL art. 19)."""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path

import structlog

from gateway.drafts import IDLE, RECEIPT
from gateway.kiosk import KEPT
from petition.clock import Clock
from petition.errors import PetitionError
from store import drafts, notes, sheets, texts
from store.database import Store
from store.sweep import sweep

NOTES = timedelta(days=7)  # a conversation that stood still for so long begins anew; what was said is in its case
SHEET_IDLE = timedelta(days=180)  # a work order nobody submitted waits long: it is what a caller said
SHEET_RECEIPT = timedelta(days=1)  # then the query code is forgotten here too
TEXTS = timedelta(days=90)  # after that nobody tells any more what became of a text message
EVERY = 600.0  # seconds between two looks at the drafts
STALE = 3600.0  # seconds after which nobody is still sending a body
SWEEP_EVERY = 144  # looks between two walks over all bodies: once a day

log = structlog.get_logger(__name__)


def clear_spool(folder: Path, now: float) -> None:
    """Remove what a crash left on its way in, nothing of which was acknowledged; another process may use the rest.

    now: seconds since 1970.
    """
    for path in folder.glob("*"):
        if path.stat().st_mtime < now - STALE:
            shutil.rmtree(path, ignore_errors=True)


async def keep_house(store: Store, clock: Clock, every: float = EVERY) -> None:
    """Look again and again until cancelled; a failure is told and tried again at the next look."""
    look = 0
    while True:
        await asyncio.sleep(every)
        look += 1
        try:
            expired = await store.write(lambda tx: drafts.expire(tx, IDLE, RECEIPT))
            expired += await store.write(lambda tx: sheets.expire(tx, SHEET_IDLE, SHEET_RECEIPT))
            expired += await store.write(lambda tx: drafts.expire_kiosk(tx, KEPT))
            torn = await store.write(lambda tx: notes.expire(tx, NOTES))
            await store.write(lambda tx: texts.forget(tx, TEXTS))
            removed = await asyncio.to_thread(sweep, store, clock) if look % SWEEP_EVERY == 1 else 0
        except PetitionError as problem:
            log.warning("housekeeping did not come to its end", problem=problem.code)
            continue
        if expired or removed or torn:
            log.info("old drafts removed", drafts=expired, notes=torn, bodies=removed)
