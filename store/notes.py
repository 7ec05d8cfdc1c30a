"""Notes (对话记事): what doors remember of conversations, sealed, found by a keyed code, guarded by a version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from petition.errors import Conflict
from store.moments import from_micros, to_micros
from store.tables import notes
from store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredNote:
    """One page as it stands; fields as in `channels.notebook.Page`."""

    key: str
    content: Mapping[str, Any]
    version: int
    touched_at: datetime


def look(tx: Transaction, book: str, key: str) -> StoredNote | None:
    """The page of this key, or None."""
    row = tx.connection.execute(select(notes).where(notes.c.code == _code(tx, book, key))).one_or_none()
    return None if row is None else _note(tx, row)


def put(tx: Transaction, book: str, key: str, content: Mapping[str, Any], version: int) -> int:
    """Write the page if it has this version (0: none yet); the new version. Conflict if somebody was faster."""
    code = _code(tx, book, key)
    body = json.dumps({"key": key, "content": dict(content)}).encode()
    values = {
        "content": tx.vault.seal(body, _context(code)),
        "version": version + 1,
        "touched_at": to_micros(tx.now),
    }
    if version == 0:
        try:
            with tx.connection.begin_nested():
                tx.connection.execute(insert(notes).values(code=code, book=book, **values))
        except IntegrityError:
            raise Conflict() from None
        return 1
    done = tx.connection.execute(update(notes).where(notes.c.code == code, notes.c.version == version).values(**values))
    if done.rowcount != 1:
        raise Conflict()
    return version + 1


def tear(tx: Transaction, book: str, key: str, version: int) -> None:
    """Take the page out if it has this version; Conflict if somebody was faster, nothing if it is gone."""
    code = _code(tx, book, key)
    done = tx.connection.execute(delete(notes).where(notes.c.code == code, notes.c.version == version))
    if done.rowcount != 1 and tx.connection.scalar(select(notes.c.version).where(notes.c.code == code)) is not None:
        raise Conflict()


def quiet(tx: Transaction, book: str, before: datetime, limit: int) -> list[StoredNote]:
    """Pages of a book that nobody touched since `before`, the quietest first."""
    wanted = select(notes).where(notes.c.book == book, notes.c.touched_at < to_micros(before))
    return [_note(tx, row) for row in tx.connection.execute(wanted.order_by(notes.c.touched_at).limit(limit))]


def expire(tx: Transaction, idle: timedelta) -> int:
    """Take out what nobody touched for so long; how many."""
    done = tx.connection.execute(delete(notes).where(notes.c.touched_at < to_micros(tx.now - idle)))
    return int(done.rowcount)


def _note(tx: Transaction, row: Row[Any]) -> StoredNote:
    kept = json.loads(tx.vault.open(row.content, _context(row.code)))
    return StoredNote(
        key=kept["key"], content=kept["content"], version=row.version, touched_at=from_micros(row.touched_at)
    )


def _code(tx: Transaction, book: str, key: str) -> bytes:
    return tx.vault.index(f"note:{book}", key)


def _context(code: bytes) -> bytes:
    return b"note\x1f" + code
