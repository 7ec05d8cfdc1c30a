"""Sheets (工单草稿): what a seat types while the caller speaks, sealed, so that no window loses a word."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from petition.errors import Conflict, NotFound
from store.moments import from_micros, to_micros
from store.seat_tables import sheets
from store.transaction import Transaction

OPEN_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One work order being written. fields: as typed; at: in which version each field was last changed; displaced:
    (field, words) that two windows wrote at the same time, the losing ones; receipt: what is read to the caller."""

    id: str
    seat: str
    channel: str
    call_id: str
    fields: Mapping[str, str]
    at: Mapping[str, int]
    displaced: tuple[tuple[str, str], ...]
    receipt: Mapping[str, str]
    version: int
    created_at: datetime
    touched_at: datetime
    case_no: str


def create(tx: Transaction, *, sheet: str, seat: str, channel: str, call_id: str, fields: Mapping[str, str]) -> None:
    """Begin a sheet. sheet: a random name made by the caller (this may run twice)."""
    now = to_micros(tx.now)
    tx.connection.execute(
        insert(sheets).values(
            id=sheet,
            seat=seat,
            channel=channel,
            call_id=call_id,
            body=_sealed(tx, sheet, fields, dict.fromkeys(fields, 1), (), {}),
            version=1,
            created_at=now,
            touched_at=now,
            case_no="",
        )
    )


def get(tx: Transaction, sheet: str, seat: str) -> Sheet:
    """The sheet of that name; NotFound when there is none or another seat writes it."""
    row = tx.connection.execute(select(sheets).where(sheets.c.id == sheet, sheets.c.seat == seat)).one_or_none()
    if row is None:
        raise NotFound("没有这张工单，或它由别的坐席填写。")
    return _sheet(tx, row)


def unfinished(tx: Transaction, seat: str) -> list[Sheet]:
    """What this seat has begun and not submitted, the newest first."""
    wanted = select(sheets).where(sheets.c.seat == seat, sheets.c.case_no == "")
    rows = tx.connection.execute(wanted.order_by(sheets.c.touched_at.desc()).limit(OPEN_SHOWN))
    return [_sheet(tx, row) for row in rows]


def change(tx: Transaction, sheet: Sheet, base: int, changes: Mapping[str, str]) -> Sheet:
    """Keep what a window changed since the version `base`; Conflict once the sheet is submitted.

    A field that another window changed meanwhile gets the words that came last; the others are kept beside it.
    """
    fields, at, displaced = dict(sheet.fields), dict(sheet.at), list(sheet.displaced)
    version = sheet.version + 1
    for name, words in changes.items():
        stored = fields.get(name, "")
        if stored == words:
            continue
        if at.get(name, 0) > base and stored.strip() and stored.strip() not in words:
            displaced.append((name, stored))
        fields[name], at[name] = words, version
    body = _sealed(tx, sheet.id, fields, at, displaced, {})
    _write(tx, sheet, version, body=body)
    return Sheet(
        id=sheet.id,
        seat=sheet.seat,
        channel=sheet.channel,
        call_id=sheet.call_id,
        fields=fields,
        at=at,
        displaced=tuple(displaced),
        receipt={},
        version=version,
        created_at=sheet.created_at,
        touched_at=tx.now,
        case_no="",
    )


def submit(tx: Transaction, sheet: Sheet, case_no: str, receipt: Mapping[str, str]) -> None:
    """Forget what was typed, it is in the ledger now, and keep what is read to the caller; Conflict as in `change`."""
    _write(tx, sheet, sheet.version + 1, body=_sealed(tx, sheet.id, {}, {}, (), receipt), case_no=case_no)


def drop(tx: Transaction, sheet: Sheet) -> None:
    """Throw a sheet away that was not submitted."""
    tx.connection.execute(delete(sheets).where(sheets.c.id == sheet.id, sheets.c.case_no == ""))


def expire(tx: Transaction, idle: timedelta, receipt: timedelta) -> int:
    """Forget sheets idle longer than `idle` and receipts older than `receipt`; how many."""
    old = sheets.c.touched_at < to_micros(tx.now - idle)
    told = (sheets.c.case_no != "") & (sheets.c.touched_at < to_micros(tx.now - receipt))
    return int(tx.connection.execute(delete(sheets).where(old | told)).rowcount)


def _write(tx: Transaction, sheet: Sheet, version: int, **values: Any) -> None:
    done = tx.connection.execute(
        update(sheets)
        .where(sheets.c.id == sheet.id, sheets.c.version == sheet.version, sheets.c.case_no == "")
        .values(version=version, touched_at=to_micros(tx.now), **values)
    )
    if not done.rowcount:
        raise Conflict("这张工单已经提交，或刚刚在另一个窗口改动过。")


def _sealed(
    tx: Transaction,
    sheet: str,
    fields: Mapping[str, str],
    at: Mapping[str, int],
    displaced: tuple[tuple[str, str], ...] | list[tuple[str, str]],
    receipt: Mapping[str, str],
) -> bytes:
    body = {"fields": dict(fields), "at": dict(at), "displaced": list(displaced), "receipt": dict(receipt)}
    return tx.vault.seal(json.dumps(body, ensure_ascii=True).encode(), _context(sheet))


def _context(sheet: str) -> bytes:
    return b"sheet\x1f" + sheet.encode()


def _sheet(tx: Transaction, row: Row[Any]) -> Sheet:
    body = json.loads(tx.vault.open(row.body, _context(row.id)))
    return Sheet(
        id=row.id,
        seat=row.seat,
        channel=row.channel,
        call_id=row.call_id,
        fields=body["fields"],
        at=body["at"],
        displaced=tuple((name, words) for name, words in body["displaced"]),
        receipt=body["receipt"],
        version=row.version,
        created_at=from_micros(row.created_at),
        touched_at=from_micros(row.touched_at),
        case_no=row.case_no,
    )
