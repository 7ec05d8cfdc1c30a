"""Callbacks (回呼任务): whom the seats have to call back, by when, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select, update

from petition.errors import Conflict, NotFound
from store.bulk import insert_rows
from store.calls import code_of
from store.moments import from_micros, from_micros_or_none, to_micros
from store.seat_tables import callbacks
from store.transaction import Transaction

SHOWN = 100


class Reason(StrEnum):
    """Why somebody is called back."""

    WISH = "wish"  # 来电人要求回呼
    MISSED = "missed"  # 来电无人接听
    UNWRITTEN = "unwritten"  # 通话已结束，没有工单


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One task. number, wish, result: unmasked; seat: who took it; done_at: None while it is open."""

    id: int
    channel: str
    call_id: str
    reason: Reason
    number: str
    line: str
    wish: str
    case_no: str
    called_at: datetime
    due: datetime
    seat: str
    result: str
    done_at: datetime | None
    version: int


def add(
    tx: Transaction,
    *,
    channel: str,
    call_id: str,
    reason: Reason,
    number: str,
    line: str,
    called_at: datetime,
    due: datetime,
    wish: str = "",
    case_no: str = "",
) -> None:
    """Enter a task, once a call; a wish told later takes the place of what was known before."""
    context = _context(channel, call_id)
    row: dict[str, Any] = {
        "channel": channel,
        "call_id": call_id,
        "reason": reason.value,
        "number": tx.vault.seal(number.encode(), context),
        "code": code_of(tx, number),
        "line": line,
        "wish": tx.vault.seal(wish.encode(), context),
        "case_no": case_no,
        "called_at": to_micros(called_at),
        "due": to_micros(due),
        "state": "open",
        "seat": "",
        "result": None,
        "done_at": None,
        "version": 1,
    }
    insert_rows(tx.connection, callbacks, [row], conflict="ON CONFLICT (channel, call_id) DO NOTHING")
    if reason is Reason.WISH:
        here = (callbacks.c.channel == channel, callbacks.c.call_id == call_id, callbacks.c.state != "done")
        values = {"reason": reason.value, "wish": row["wish"], "version": callbacks.c.version + 1}
        if case_no:
            values["case_no"] = case_no
        tx.connection.execute(update(callbacks).where(*here, callbacks.c.reason != reason.value).values(**values))


def open_ones(tx: Transaction) -> list[Callback]:
    """What is still to be done, the earliest due first."""
    wanted = select(callbacks).where(callbacks.c.state != "done").order_by(callbacks.c.due, callbacks.c.id)
    return [_callback(tx, row) for row in tx.connection.execute(wanted.limit(SHOWN))]


def get(tx: Transaction, number: int) -> Callback:
    """The task of that row; NotFound if there is none."""
    row = tx.connection.execute(select(callbacks).where(callbacks.c.id == number)).one_or_none()
    if row is None:
        raise NotFound("没有这项回呼任务。")
    return _callback(tx, row)


def of_call(tx: Transaction, channel: str, call_id: str) -> list[Callback]:
    """The task of that call, if there is one."""
    wanted = select(callbacks).where(callbacks.c.channel == channel, callbacks.c.call_id == call_id)
    return [_callback(tx, row) for row in tx.connection.execute(wanted)]


def of_number(tx: Transaction, number: str) -> list[Callback]:
    """Open tasks of this number: whoever calls again need not be called back for the same."""
    code = code_of(tx, number)
    if code is None:
        return []
    wanted = select(callbacks).where(callbacks.c.code == code, callbacks.c.state != "done").order_by(callbacks.c.due)
    return [_callback(tx, row) for row in tx.connection.execute(wanted.limit(SHOWN))]


def take(tx: Transaction, task: Callback, seat: str) -> None:
    """A seat takes the task on, also from another seat; Conflict when it changed since it was looked at."""
    _change(tx, task, state="taken", seat=seat)


def close(tx: Transaction, task: Callback, seat: str, result: str) -> None:
    """Done, with what came of it; Conflict when it changed since it was looked at."""
    sealed = tx.vault.seal(result.encode(), _context(task.channel, task.call_id))
    _change(tx, task, state="done", seat=seat, result=sealed, done_at=to_micros(tx.now))


def _change(tx: Transaction, task: Callback, **values: Any) -> None:
    done = tx.connection.execute(
        update(callbacks)
        .where(callbacks.c.id == task.id, callbacks.c.version == task.version, callbacks.c.state != "done")
        .values(version=task.version + 1, **values)
    )
    if not done.rowcount:
        raise Conflict("这项回呼任务刚刚被别人改动过，请刷新后再办理。您填写的内容没有丢失。")


def _context(channel: str, call_id: str) -> bytes:
    return f"callback\x1f{channel}\x1f{call_id}".encode()


def _callback(tx: Transaction, row: Row[Any]) -> Callback:
    context = _context(row.channel, row.call_id)
    return Callback(
        id=row.id,
        channel=row.channel,
        call_id=row.call_id,
        reason=Reason(row.reason),
        number=tx.vault.open(row.number, context).decode(),
        line=row.line,
        wish=tx.vault.open(row.wish, context).decode(),
        case_no=row.case_no,
        called_at=from_micros(row.called_at),
        due=from_micros(row.due),
        seat=row.seat,
        result=tx.vault.open(row.result, context).decode() if row.result else "",
        done_at=from_micros_or_none(row.done_at),
        version=row.version,
    )
