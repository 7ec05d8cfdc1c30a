"""The sweep takes what nobody names, and nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

from petition import clock
from petition.attachment import AttachmentRole
from store import drafts
from store.database import Store
from store.drafts import DraftUpload
from store.proof import verify
from store.sweep import sweep
from tests.store.entries import entry

TOKEN = "a-token-of-forty-characters-for-the-test"


async def test_only_old_bodies_that_nobody_names_are_removed(sqlite_store: Store, tmp_path: Path) -> None:
    files = sqlite_store.files
    named, drafted, lost, young = (files.put(body) for body in (b"named", b"drafted", b"lost", b"young"))
    await sqlite_store.enter(entry(sqlite_store, files=(named,)))
    upload = DraftUpload(
        id=0, name="a.txt", media_type="text/plain", size=7, sha256=drafted, role=AttachmentRole.EVIDENCE
    )
    await sqlite_store.write(lambda tx: drafts.create(tx, TOKEN, {}))
    await sqlite_store.write(lambda tx: drafts.add_upload(tx, TOKEN, upload, 5))
    long_ago = time.time() - 3 * 86400
    for path in (path for path in (tmp_path / "blobs").rglob("*") if path.is_file() and path.name != young):
        os.utime(path, (long_ago, long_ago))
    assert sweep(sqlite_store, clock.now) == 1
    assert [files.has(digest) for digest in (named, drafted, lost, young)] == [True, True, False, True]
    assert verify(sqlite_store, tmp_path) == []
    assert sweep(sqlite_store, clock.now) == 0


async def test_a_body_kept_again_is_young_again(sqlite_store: Store, tmp_path: Path) -> None:
    digest = sqlite_store.files.put(b"twice")
    path = next(path for path in (tmp_path / "blobs").rglob("*") if path.is_file())
    os.utime(path, (1, 1))
    assert sqlite_store.files.put(b"twice") == digest
    assert sweep(sqlite_store, clock.now) == 0
