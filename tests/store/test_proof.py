"""The proof: every change of a byte, an order or a row is found and named."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from store.database import Store, database_url, open_reading, open_store
from store.migrate import migrate
from store.proof import Fault, verify
from store.vault import digest_of
from tests.store.conftest import SECRET
from tests.store.entries import entry

BIG = b"a body for the files " * 5000


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A folder with six entries: five petitions, one duplicate, one attachment, one large original."""
    url = database_url("", tmp_path)
    migrate(url)
    store = open_store(url, tmp_path, SECRET, min_free=0)

    async def fill() -> None:
        for i in range(4):
            await store.enter(entry(store, f"r{i}"))
        digest = store.files.put(BIG)
        await store.enter(entry(store, "big", digest=digest, original=None, files=(store.files.put(b"evidence"),)))
        await store.enter(entry(store, "r0"))

    asyncio.run(fill())
    store.close()
    return tmp_path


def proof(folder: Path) -> list[Fault]:
    """What verify says of a closed folder."""
    store: Store = open_reading(database_url("", folder), folder, SECRET)
    try:
        return verify(store, folder)
    finally:
        store.close()


def sql(*statements: str) -> Callable[[Path], None]:
    """A hand that changes the database behind the house's back, triggers taken away first."""

    def change(folder: Path) -> None:
        connection = sqlite3.connect(folder / "gateway.db")
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert connection.execute(statement).rowcount, statement
        connection.commit()
        connection.close()

    return change


def blob(which: bytes, *, offset: int = -5) -> Callable[[Path], None]:
    """A hand that flips one byte of a stored file."""

    def change(folder: Path) -> None:
        path = next((folder / "blobs").rglob(digest_of(which)))
        body = bytearray(path.read_bytes())
        body[offset] ^= 1
        path.write_bytes(body)

    return change


def gone(which: bytes) -> Callable[[Path], None]:
    """A hand that deletes a stored file."""

    def change(folder: Path) -> None:
        next((folder / "blobs").rglob(digest_of(which))).unlink()

    return change


def truncated_checkpoints(folder: Path) -> None:
    """A hand that writes another head into the checkpoint file."""
    path = folder / "checkpoints.jsonl"
    path.write_text(path.read_text().replace('"place": 6', '"place": 5'))


THIRD_ENTRY = f"(entry {(1 << 40) + 3})"
THIRD = "id = (SELECT id FROM ledger ORDER BY id LIMIT 1 OFFSET 2)"
LAST = "id = (SELECT max(id) FROM ledger)"
FLIP = "substr({0}, 1, 3) || char(unicode(substr({0}, 4, 1)) + 1) || substr({0}, 5)"
EVERYTHING = ("DELETE FROM ledger", "DELETE FROM ledger_heads", "DELETE FROM petitions")
RENAMED = "UPDATE petitions SET case_no = '620000W2026112299999X' WHERE rowid = 3"
HANDS = [
    *[
        (f"a letter of {column}", sql(f"UPDATE ledger SET {column} = {FLIP.format(column)} WHERE {THIRD}"), THIRD_ENTRY)
        for column in ("channel", "outcome", "key", "digest", "media_type", "case_no")
    ],
    ("the raw id", sql(f"UPDATE ledger SET raw_id = 'x' WHERE {THIRD}"), THIRD_ENTRY),
    ("the reason", sql(f"UPDATE ledger SET reason = 'x' WHERE {THIRD}"), THIRD_ENTRY),
    ("the list of files", sql(f"UPDATE ledger SET files = '[ ]' WHERE {THIRD}"), THIRD_ENTRY),
    ("the counter", sql(f"UPDATE ledger SET counter = 9 WHERE {THIRD}"), "web #9"),
    ("the time", sql(f"UPDATE ledger SET received_at = received_at + 1 WHERE {THIRD}"), THIRD_ENTRY),
    ("the size", sql(f"UPDATE ledger SET size = size + 1 WHERE {THIRD}"), THIRD_ENTRY),
    ("the link to the row before", sql(f"UPDATE ledger SET prev = zeroblob(32) WHERE {THIRD}"), THIRD_ENTRY),
    ("the digest of the row", sql(f"UPDATE ledger SET hash = zeroblob(32) WHERE {THIRD}"), THIRD_ENTRY),
    ("whom a duplicate belongs to", sql(f"UPDATE ledger SET first_id = 7 WHERE {LAST}"), "web #6"),
    ("a row in the middle deleted", sql(f"DELETE FROM ledger WHERE {THIRD}"), "web #4"),
    ("the last row deleted", sql(f"DELETE FROM ledger WHERE {LAST}"), f"entry {(1 << 40) + 6}"),
    ("the first row deleted", sql("DELETE FROM ledger WHERE id = (SELECT min(id) FROM ledger)"), "web #2"),
    ("all rows deleted", sql("DELETE FROM ledger"), f"entry {(1 << 40) + 1}"),
    ("everything deleted", sql(*EVERYTHING), "checkpoint 1/6"),
    ("a head", sql("UPDATE ledger_heads SET counter = 5 WHERE channel = 'web'"), "head 1/web"),
    ("an original in the database", sql("UPDATE originals SET sealed = zeroblob(80) WHERE rowid = 1"), "web #"),
    ("an original in the database deleted", sql("DELETE FROM originals WHERE rowid = 1"), "web #"),
    ("a record", sql("UPDATE petitions SET record = zeroblob(80) WHERE rowid = 3"), THIRD_ENTRY),
    ("a case deleted", sql("DELETE FROM petitions WHERE rowid = 3"), THIRD_ENTRY),
    ("a case under another number", sql(RENAMED), "620000W"),
    ("a large original", blob(BIG), "web #5"),
    ("the head of a large original", blob(BIG, offset=1), "web #5"),
    ("a large original deleted", gone(BIG), "web #5"),
    ("an attachment", blob(b"evidence"), "web #5"),
    ("an attachment deleted", gone(b"evidence"), "web #5"),
    ("the checkpoint file", truncated_checkpoints, "checkpoint"),
]  # fmt: skip


def test_an_untouched_folder_is_whole(filled: Path) -> None:
    assert proof(filled) == []


@pytest.mark.parametrize(("hand", "entry_name"), [row[1:] for row in HANDS], ids=[row[0] for row in HANDS])
def test_a_hand_in_the_ledger_is_seen(filled: Path, hand: Callable[[Path], None], entry_name: str) -> None:
    hand(filled)
    faults = proof(filled)
    assert faults
    assert any(entry_name in fault.entry for fault in faults), faults


def test_two_records_exchanged_are_seen(filled: Path) -> None:
    sql(
        "UPDATE petitions SET record = (SELECT record FROM petitions WHERE rowid = 2) WHERE rowid = 3",
    )(filled)
    assert [THIRD_ENTRY in fault.entry for fault in proof(filled)] == [True]
