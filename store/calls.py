"""Calls (来电): every call the seats were shown, by its channel and id; the number is sealed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from petition import identity
from petition.errors import Conflict, NotFound
from store.bulk import insert_rows
from store.moments import from_micros, from_micros_or_none, to_micros
from store.seat_tables import callbacks, calls, seats
from store.transaction import Transaction

_FORGOTTEN = timedelta(days=1)  # rows of processes that died are cleared away
SHOWN = 50  # calls on one page; who has more waiting needs more seats, not a longer page


class CallState(StrEnum):
    """Where a call stands."""

    WAITING = "waiting"  # 等待接听
    TAKEN = "taken"  # 通话中
    OVER = "over"  # 已结束
    MISSED = "missed"  # 未接听


_OPEN = (CallState.WAITING.value, CallState.TAKEN.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCall:
    """A call. number: as it came, unmasked; seat: who answered (an officer or an extension); sheet: its work order."""

    id: int
    channel: str
    call_id: str
    number: str
    line: str
    at: datetime
    over_at: datetime | None
    state: CallState
    seat: str
    sheet: str
    case_no: str


def key_of(number: str) -> tuple[str, str] | None:
    """(kind, normal form) of a number, the kinds of the look-up table where there is one; None for a hidden number."""
    for kind, normal in (("mobile", identity.normal_mobile(number)), ("landline", identity.normal_landline(number))):
        if normal:
            return kind, normal
    digits = "".join(sign for sign in identity.tidy(number) if sign.isdecimal())
    return ("number", digits) if digits else None


def code_of(tx: Transaction, number: str) -> bytes | None:
    """The look-up code of a number, or None for a hidden one."""
    key = key_of(number)
    return None if key is None else tx.vault.index(*key)


def ring(
    tx: Transaction,
    *,
    channel: str,
    call_id: str,
    number: str,
    line: str,
    at: datetime,
    case_no: str = "",
    seat: str = "",
) -> None:
    """Show a call; seat: who has answered it, empty while it waits. The same call again renews it: it never goes back
    from taken to waiting, nor from over to either."""
    now = to_micros(tx.now)
    state = CallState.TAKEN if seat else CallState.WAITING
    row: dict[str, Any] = {
        "channel": channel,
        "call_id": call_id,
        "number": tx.vault.seal(number.encode(), _context(channel, call_id)),
        "code": code_of(tx, number),
        "line": line,
        "at": to_micros(at),
        "renewed_at": now,
        "over_at": None,
        "state": state.value,
        "seat": seat,
        "sheet": "",
        "case_no": case_no,
        "version": 1,
    }
    insert_rows(tx.connection, calls, [row], conflict="ON CONFLICT (channel, call_id) DO NOTHING")
    values: dict[str, Any] = {"renewed_at": now}
    if case_no:
        values["case_no"] = case_no
    here = (calls.c.channel == channel, calls.c.call_id == call_id)
    tx.connection.execute(update(calls).where(*here, calls.c.state.in_(_OPEN)).values(**values))
    if seat:
        tx.connection.execute(
            update(calls)
            .where(*here, calls.c.state == CallState.WAITING.value)
            .values(state=state.value, seat=seat, version=calls.c.version + 1)
        )


def over(tx: Transaction, channel: str, call_id: str, at: datetime) -> StoredCall | None:
    """End a call; the call as it was before, or None if it was never shown or has ended already."""
    call = find(tx, channel, call_id)
    if call is None or call.state not in (CallState.WAITING, CallState.TAKEN):
        return None
    state = CallState.MISSED if call.state is CallState.WAITING else CallState.OVER
    done = tx.connection.execute(
        update(calls)
        .where(calls.c.id == call.id, calls.c.state == call.state.value)
        .values(state=state.value, over_at=to_micros(at), version=calls.c.version + 1)
    )
    return call if done.rowcount else None


def take(tx: Transaction, call: StoredCall, seat: str, sheet: str) -> None:
    """A seat answers and begins the work order; Conflict when another seat was faster."""
    done = tx.connection.execute(
        update(calls)
        .where(calls.c.id == call.id, calls.c.sheet == "")
        .values(
            state=CallState.OVER.value if call.state in (CallState.OVER, CallState.MISSED) else CallState.TAKEN.value,
            seat=seat,
            sheet=sheet,
            version=calls.c.version + 1,
        )
    )
    if not done.rowcount:
        raise Conflict("这个来电刚刚被别的坐席接起。")


def belongs(tx: Transaction, channel: str, call_id: str, case_no: str) -> None:
    """Write down which case a call has become."""
    here = (calls.c.channel == channel, calls.c.call_id == call_id)
    tx.connection.execute(update(calls).where(*here).values(case_no=case_no))


def get(tx: Transaction, number: int) -> StoredCall:
    """The call of that row; NotFound if there is none."""
    row = tx.connection.execute(select(calls).where(calls.c.id == number)).one_or_none()
    if row is None:
        raise NotFound("没有这个来电。")
    return _call(tx, row)


def find(tx: Transaction, channel: str, call_id: str) -> StoredCall | None:
    """The call of that channel and id, or None."""
    wanted = select(calls).where(calls.c.channel == channel, calls.c.call_id == call_id)
    row = tx.connection.execute(wanted).one_or_none()
    return None if row is None else _call(tx, row)


def shown(tx: Transaction) -> list[StoredCall]:
    """Calls that wait, or are answered and have no work order yet; the longest waiting first."""
    wanted = select(calls).where(calls.c.state.in_(_OPEN), calls.c.sheet == "")
    return [_call(tx, row) for row in tx.connection.execute(wanted.order_by(calls.c.at, calls.c.id).limit(SHOWN))]


def silent(tx: Transaction, rings: datetime, talks: datetime) -> list[StoredCall]:
    """Calls still shown whose end got lost: nothing was heard of them after `rings` if they wait, else `talks`."""
    heard, state = calls.c.renewed_at, calls.c.state
    lost = ((state == CallState.WAITING.value) & (heard < to_micros(rings))) | (heard < to_micros(talks))
    wanted = select(calls).where(state.in_(_OPEN), calls.c.sheet == "", lost)
    return [_call(tx, row) for row in tx.connection.execute(wanted.limit(SHOWN))]


def often(tx: Transaction, number: str, within: timedelta) -> int:
    """How many calls of this number were shown within the time; 0 for a hidden number."""
    code = code_of(tx, number)
    if code is None:
        return 0
    wanted = select(func.count()).where(calls.c.code == code, calls.c.at >= to_micros(tx.now - within))
    return int(tx.connection.scalar(wanted.select_from(calls)) or 0)


def mark(tx: Transaction) -> str:
    """A word that changes whenever what the seats are shown does; cheap, because only open rows are looked at."""
    waiting = tx.connection.execute(
        select(calls.c.id, calls.c.version)
        .where(calls.c.state.in_(_OPEN), calls.c.sheet == "")
        .order_by(calls.c.id)
        .limit(SHOWN)
    ).all()
    count, total, versions = tx.connection.execute(
        select(func.count(), func.sum(callbacks.c.id), func.sum(callbacks.c.version)).where(callbacks.c.state != "done")
    ).one()
    told = "".join(f"{row.id}.{row.version}," for row in waiting)
    return tx.vault.mac("seat-mark", f"{told}{count}.{total}.{versions}".encode()).hex()[:24]


def sit(tx: Transaction, house: str, officers: Iterable[str]) -> None:
    """These officers sit at this process now, and nobody else does."""
    present = sorted(set(officers))
    gone = seats.c.seen_at < to_micros(tx.now - _FORGOTTEN)
    tx.connection.execute(delete(seats).where((seats.c.house == house) | gone))
    if present:
        rows = [{"house": house, "officer": name, "seen_at": to_micros(tx.now)} for name in present]
        tx.connection.execute(insert(seats), rows)


def seated(tx: Transaction, within: timedelta) -> Sequence[str]:
    """Who was seen at a seat within the time, in any process."""
    wanted = select(seats.c.officer).where(seats.c.seen_at >= to_micros(tx.now - within)).distinct()
    return tx.connection.scalars(wanted.order_by(seats.c.officer)).all()


def _context(channel: str, call_id: str) -> bytes:
    return f"call\x1f{channel}\x1f{call_id}".encode()


def _call(tx: Transaction, row: Row[Any]) -> StoredCall:
    return StoredCall(
        id=row.id,
        channel=row.channel,
        call_id=row.call_id,
        number=tx.vault.open(row.number, _context(row.channel, row.call_id)).decode(),
        line=row.line,
        at=from_micros(row.at),
        over_at=from_micros_or_none(row.over_at),
        state=CallState(row.state),
        seat=row.seat,
        sheet=row.sheet,
        case_no=row.case_no,
    )
