"""Drafts (网上填写草稿): what is typed before it is submitted, sealed, found only by the browser's random token."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from petition.attachment import AttachmentRole
from petition.errors import Conflict, NotFound, TooLarge
from store.moments import from_micros, to_micros
from store.tables import draft_uploads
from store.tables import drafts as draft_rows
from store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftUpload:
    """One file of a draft; its body is kept in the files under `sha256` before this row is written."""

    id: int
    name: str
    media_type: str
    size: int
    sha256: str
    role: AttachmentRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft as it stands. answers: plain JSON values; submitted: what the receipt page shows, None until then."""

    token: str
    answers: Mapping[str, object]
    uploads: tuple[DraftUpload, ...]
    version: int
    touched_at: datetime
    submitted: Mapping[str, str] | None = None
    kiosk: bool = False


def create(tx: Transaction, token: str, answers: Mapping[str, object], *, kiosk: bool = False) -> None:
    """Begin a draft. token: at least 128 random bits, made by the caller (this may run twice)."""
    moment = to_micros(tx.now)
    values = {"version": 1, "created_at": moment, "touched_at": moment, "case_no": None, "kiosk": kiosk}
    sealed = _sealed(tx, token, answers, None)
    tx.connection.execute(insert(draft_rows).values(token_hash=hash_of(token), answers=sealed, **values))


def load(tx: Transaction, token: str) -> Draft | None:
    """The draft of that token, or None."""
    # One statement: readers have no snapshot over several, and between two of them a submit would take the files away.
    rows = tx.connection.execute(
        select(draft_rows, *(column.label(f"file_{column.name}") for column in draft_uploads.c))
        .outerjoin(draft_uploads, draft_uploads.c.token_hash == draft_rows.c.token_hash)
        .where(draft_rows.c.token_hash == hash_of(token))
        .order_by(draft_uploads.c.position, draft_uploads.c.id)
    ).all()
    if not rows:
        return None
    stored: dict[str, Any] = json.loads(tx.vault.open(rows[0].answers, _context(token)))
    return Draft(
        token=token,
        answers=stored["answers"],
        uploads=tuple(
            DraftUpload(
                id=row.file_id,
                name=_opened_name(tx, token, row.file_name),
                media_type=row.file_media_type,
                size=row.file_size,
                sha256=row.file_sha256,
                role=AttachmentRole(row.file_role),
            )
            for row in rows
            if row.file_id is not None
        ),
        version=rows[0].version,
        touched_at=from_micros(rows[0].touched_at),
        submitted=stored["submitted"],
        kiosk=bool(rows[0].kiosk),
    )


def save(tx: Transaction, token: str, answers: Mapping[str, object], version: int) -> None:
    """Replace the answers if nobody else did since `version` was loaded; Conflict otherwise, NotFound if it is gone."""
    _write(tx, token, version, answers=_sealed(tx, token, answers, None))


def submit(tx: Transaction, token: str, version: int, case_no: str, receipt: Mapping[str, str]) -> None:
    """Forget the answers and files and keep only what the receipt page shows; Conflict and NotFound as in `save`."""
    _write(tx, token, version, answers=_sealed(tx, token, {}, receipt), case_no=case_no)
    tx.connection.execute(delete(draft_uploads).where(draft_uploads.c.token_hash == hash_of(token)))


def add_upload(tx: Transaction, token: str, upload: DraftUpload, most: int) -> None:
    """Add a file (its id is ignored); the same body twice is one file. TooLarge beyond `most`, NotFound if gone."""
    key = hash_of(token)
    _touch(tx, key)
    rows = tx.connection.execute(
        select(draft_uploads.c.position, draft_uploads.c.sha256).where(draft_uploads.c.token_hash == key)
    ).all()
    if any(row.sha256 == upload.sha256 for row in rows):
        return
    if len(rows) >= most:
        raise TooLarge(f"最多可以添加{most}份材料。")
    tx.connection.execute(
        insert(draft_uploads).values(
            token_hash=key,
            name=tx.vault.seal(upload.name.encode("utf-8", "replace"), _context(token)).hex(),
            media_type=upload.media_type,
            size=upload.size,
            sha256=upload.sha256,
            role=upload.role.value,
            position=max((row.position for row in rows), default=0) + 1,
        )
    )


def remove_upload(tx: Transaction, token: str, upload_id: int) -> None:
    """Take a file out of the draft; one that is not there changes nothing."""
    key = hash_of(token)
    tx.connection.execute(
        delete(draft_uploads).where(draft_uploads.c.token_hash == key, draft_uploads.c.id == upload_id)
    )
    _touch(tx, key)


def stay(tx: Transaction, token: str) -> None:
    """Somebody is still there: the idle time begins anew, nothing else changes."""
    moment = to_micros(tx.now)
    tx.connection.execute(update(draft_rows).where(draft_rows.c.token_hash == hash_of(token)).values(touched_at=moment))


def expire_kiosk(tx: Transaction, idle: timedelta) -> int:
    """Forget what was typed at terminals and left for longer than `idle`; returns how many."""
    old = select(draft_rows.c.token_hash).where(draft_rows.c.kiosk, draft_rows.c.touched_at < to_micros(tx.now - idle))
    keys = list(tx.connection.scalars(old.limit(500)))
    _drop(tx, keys)
    return len(keys)


def drop(tx: Transaction, token: str) -> None:
    """Forget the draft and its files; nothing happens if it is gone."""
    _drop(tx, [hash_of(token)])


def expire(tx: Transaction, idle: timedelta, receipt: timedelta, limit: int = 500) -> int:
    """Forget drafts idle longer than `idle` and receipts shown longer than `receipt`; returns how many (at most limit).

    Bodies of files stay until the sweep of bodies that neither the ledger nor a draft names.
    """
    touched, case_no = draft_rows.c.touched_at, draft_rows.c.case_no
    old = select(draft_rows.c.token_hash).where(
        (touched < to_micros(tx.now - idle)) | (case_no.is_not(None) & (touched < to_micros(tx.now - receipt)))
    )
    keys = list(tx.connection.scalars(old.limit(limit)))
    _drop(tx, keys)
    return len(keys)


def digests(tx: Transaction) -> frozenset[str]:
    """Digests of all bodies that some draft still names."""
    return frozenset(tx.connection.scalars(select(draft_uploads.c.sha256).distinct()))


def count(tx: Transaction) -> int:
    """How many drafts there are."""
    return int(tx.connection.scalar(select(func.count()).select_from(draft_rows)) or 0)


def hash_of(token: str) -> bytes:
    """What is stored in place of the token; a token is random, so a plain digest tells nothing about it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _drop(tx: Transaction, keys: list[bytes]) -> None:
    if keys:
        tx.connection.execute(delete(draft_uploads).where(draft_uploads.c.token_hash.in_(keys)))
        tx.connection.execute(delete(draft_rows).where(draft_rows.c.token_hash.in_(keys)))


def _write(tx: Transaction, token: str, version: int, **values: object) -> None:
    key = hash_of(token)
    done = tx.connection.execute(
        update(draft_rows)
        .where(draft_rows.c.token_hash == key, draft_rows.c.version == version, draft_rows.c.case_no.is_(None))
        .values(version=version + 1, touched_at=to_micros(tx.now), **values)
    )
    if done.rowcount != 1:
        there = tx.connection.scalar(select(draft_rows.c.version).where(draft_rows.c.token_hash == key))
        raise NotFound("填写的内容已经过期,请重新填写。") if there is None else Conflict()


def _touch(tx: Transaction, key: bytes) -> None:
    done = tx.connection.execute(
        update(draft_rows)
        .where(draft_rows.c.token_hash == key, draft_rows.c.case_no.is_(None))
        .values(version=draft_rows.c.version + 1, touched_at=to_micros(tx.now))
    )
    if done.rowcount != 1:
        raise NotFound("填写的内容已经过期,请重新填写。")


def _sealed(tx: Transaction, token: str, answers: Mapping[str, object], submitted: Mapping[str, str] | None) -> bytes:
    body = json.dumps({"answers": dict(answers), "submitted": submitted and dict(submitted)}, ensure_ascii=True)
    return tx.vault.seal(body.encode(), _context(token))


def _opened_name(tx: Transaction, token: str, name: str) -> str:
    return tx.vault.open(bytes.fromhex(name), _context(token)).decode()


def _context(token: str) -> bytes:
    return b"draft\x1f" + hash_of(token)
