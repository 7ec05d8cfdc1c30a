"""Drafts: sealed, found by their token only, guarded by a version, forgotten in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from petition.attachment import AttachmentRole
from petition.errors import Conflict, NotFound, TooLarge
from store import drafts, tables
from store.database import Store
from store.drafts import DraftUpload

TOKEN = "t" * 43
PHOTO = DraftUpload(
    id=0, name="张示例的照片.jpg", media_type="image/jpeg", size=3, sha256="ab" * 32, role=AttachmentRole.EVIDENCE
)


def test_what_is_typed_comes_back_and_is_sealed(store: Store) -> None:
    store.write_now(lambda tx: drafts.create(tx, TOKEN, {"fields": {"title": "示例标题\x00😀"}}))
    draft = store.read_now(lambda tx: drafts.load(tx, TOKEN))
    assert draft is not None
    assert draft.answers == {"fields": {"title": "示例标题\x00😀"}}
    assert store.read_now(lambda tx: drafts.load(tx, "x" * 43)) is None
    row = store.read_now(lambda tx: tx.connection.execute(select(tables.drafts)).one())
    assert "示例".encode() not in row.answers
    assert TOKEN.encode() not in row.token_hash


def test_the_slower_of_two_is_told(store: Store) -> None:
    store.write_now(lambda tx: drafts.create(tx, TOKEN, {}))
    store.write_now(lambda tx: drafts.save(tx, TOKEN, {"a": "1"}, 1))
    with pytest.raises(Conflict):
        store.write_now(lambda tx: drafts.save(tx, TOKEN, {"a": "2"}, 1))
    with pytest.raises(NotFound):
        store.write_now(lambda tx: drafts.save(tx, "x" * 43, {}, 1))


def test_files_are_kept_once_in_order_and_with_a_limit(store: Store) -> None:
    store.write_now(lambda tx: drafts.create(tx, TOKEN, {}))
    for digest in ("ab", "cd", "ab"):
        _add(store, replace(PHOTO, sha256=digest * 32))
    draft = store.read_now(lambda tx: drafts.load(tx, TOKEN))
    assert draft is not None
    assert [each.sha256[:2] for each in draft.uploads] == ["ab", "cd"]
    assert draft.uploads[0].name == "张示例的照片.jpg"
    assert store.read_now(drafts.digests) == {"ab" * 32, "cd" * 32}
    with pytest.raises(TooLarge):
        store.write_now(lambda tx: drafts.add_upload(tx, TOKEN, replace(PHOTO, sha256="ef"), 2))
    store.write_now(lambda tx: drafts.remove_upload(tx, TOKEN, draft.uploads[0].id))
    left = store.read_now(lambda tx: drafts.load(tx, TOKEN))
    assert left is not None
    assert [each.sha256[:2] for each in left.uploads] == ["cd"]


def test_a_submitted_draft_keeps_its_receipt_only(store: Store) -> None:
    store.write_now(lambda tx: drafts.create(tx, TOKEN, {"title": "示例"}))
    store.write_now(lambda tx: drafts.add_upload(tx, TOKEN, PHOTO, 9))
    store.write_now(lambda tx: drafts.submit(tx, TOKEN, 2, "620000W2026112000001X", {"query_code": "A"}))
    draft = store.read_now(lambda tx: drafts.load(tx, TOKEN))
    assert draft is not None
    assert (draft.answers, draft.uploads, draft.submitted) == ({}, (), {"query_code": "A"})
    with pytest.raises(Conflict):
        store.write_now(lambda tx: drafts.save(tx, TOKEN, {}, draft.version))
    with pytest.raises(NotFound):
        store.write_now(lambda tx: drafts.add_upload(tx, TOKEN, PHOTO, 9))


def test_a_draft_is_read_in_one_piece(sqlite_store: Store) -> None:
    """A submit between two statements would show the answers of before without their files."""
    sqlite_store.write_now(lambda tx: drafts.create(tx, TOKEN, {"title": "示例"}))
    sqlite_store.write_now(lambda tx: drafts.add_upload(tx, TOKEN, PHOTO, 9))
    statements: list[str] = []

    def listener(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(sqlite_store.reading, "before_cursor_execute", listener)
    draft = sqlite_store.read_now(lambda tx: drafts.load(tx, TOKEN))
    assert draft is not None
    assert len(draft.uploads) == 1
    assert [one for one in statements if one != "BEGIN"][1:] == []


def test_old_drafts_and_older_receipts_are_forgotten(store: Store) -> None:
    store.write_now(lambda tx: drafts.create(tx, TOKEN, {}))
    store.write_now(lambda tx: drafts.add_upload(tx, TOKEN, PHOTO, 9))
    store.write_now(lambda tx: drafts.create(tx, "s" * 43, {}))
    store.write_now(lambda tx: drafts.submit(tx, "s" * 43, 1, "620000W2026112000001X", {}))
    day, moment = timedelta(hours=24), timedelta(microseconds=-1)
    assert store.write_now(lambda tx: drafts.expire(tx, day, timedelta(minutes=30))) == 0
    assert store.write_now(lambda tx: drafts.expire(tx, day, moment)) == 1
    assert store.read_now(drafts.count) == 1
    assert store.write_now(lambda tx: drafts.expire(tx, moment, moment)) == 1
    assert store.read_now(drafts.digests) == frozenset()


def test_a_dropped_draft_is_gone_with_its_files(store: Store) -> None:
    store.write_now(lambda tx: drafts.create(tx, TOKEN, {}))
    store.write_now(lambda tx: drafts.add_upload(tx, TOKEN, PHOTO, 9))
    for _ in range(2):
        store.write_now(lambda tx: drafts.drop(tx, TOKEN))
    assert (store.read_now(drafts.count), store.read_now(drafts.digests)) == (0, frozenset())


def _add(store: Store, upload: DraftUpload) -> None:
    store.write_now(lambda tx: drafts.add_upload(tx, TOKEN, upload, 2))
