"""The outbox (转办单): what still has to leave the house; a broker's message is only a hint to look here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update

from store.moments import from_micros, from_micros_or_none, to_micros
from store.tables import outbox
from store.transaction import Transaction


class OrderState(StrEnum):
    """There is no "sent": before the answer an order is open."""

    OPEN = "open"
    DELIVERED = "delivered"
    HELD = "held"
    WITHDRAWN = "withdrawn"  # a person's newer decision took its place before it was delivered


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order. kind: read | dispatch | notice | event; due: when it may be tried (again); problem: the last one."""

    id: int
    kind: str
    case_no: str
    state: OrderState
    due: datetime
    attempts: int
    payload: Mapping[str, Any]
    problem: str
    created_at: datetime
    done_at: datetime | None

    @property
    def key(self) -> str:
        """The idempotency key, the same for every try of this order."""
        return f"case-{self.id}"


def add(
    tx: Transaction, kind: str, case_no: str, *, due: datetime | None = None, payload: Mapping[str, Any] | None = None
) -> int:
    """Add an open order; returns its id."""
    row = tx.connection.execute(
        insert(outbox)
        .values(
            kind=kind,
            case_no=case_no,
            state=OrderState.OPEN.value,
            due=to_micros(due or tx.now),
            payload=json.dumps(payload or {}, ensure_ascii=False),
            created_at=to_micros(tx.now),
        )
        .returning(outbox.c.id)
    )
    return int(row.scalar_one())


def claim(tx: Transaction, kinds: Sequence[str], lease: timedelta, limit: int) -> list[Order]:
    """Take due orders for the length of the lease, oldest due first; nobody else gets them until it ends.

    The same statement is the sweeper: an order whose worker died is due again when its lease is over.
    """
    due = (
        select(outbox.c.id)
        .where(outbox.c.state == "open", outbox.c.due <= to_micros(tx.now), outbox.c.kind.in_(kinds))
        .order_by(outbox.c.due)
        .limit(limit)
    )
    if tx.connection.dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    ids = tx.connection.scalars(due).all()
    if not ids:
        return []
    rows = tx.connection.execute(
        update(outbox)
        .where(outbox.c.id.in_(ids))
        .values(due=to_micros(tx.now + lease), attempts=outbox.c.attempts + 1)
        .returning(outbox)
    )
    return sorted((_order(row) for row in rows), key=lambda order: order.id)


def hasten(tx: Transaction, case_no: str, kind: str) -> int:
    """Make the orders of a case that nobody tried yet due at once; how many."""
    waits = (outbox.c.case_no == case_no, outbox.c.kind == kind, outbox.c.state == "open", outbox.c.attempts == 0)
    done = tx.connection.execute(
        update(outbox).where(*waits, outbox.c.due > to_micros(tx.now)).values(due=to_micros(tx.now))
    )
    return int(done.rowcount)


def take_back(tx: Transaction) -> int:
    """End the leases of workers that died with their process; how many. Only for a database of one process (SQLite).

    An order that failed before keeps its pause: what was claimed and never answered is due at once.
    """
    done = tx.connection.execute(
        update(outbox)
        .where(
            outbox.c.state == "open", outbox.c.attempts > 0, outbox.c.problem == "", outbox.c.due > to_micros(tx.now)
        )
        .values(due=to_micros(tx.now))
    )
    return int(done.rowcount)


def find(tx: Transaction, order_id: int) -> Order | None:
    """The order of that id, or None."""
    row = tx.connection.execute(select(outbox).where(outbox.c.id == order_id)).one_or_none()
    return None if row is None else _order(row)


def of(tx: Transaction, case_no: str) -> list[Order]:
    """The orders of a case, oldest first."""
    rows = tx.connection.execute(select(outbox).where(outbox.c.case_no == case_no).order_by(outbox.c.id))
    return [_order(row) for row in rows]


def delivered(tx: Transaction, order: Order, detail: str = "") -> bool:
    """Close an order; False if it was closed or withdrawn before (this worker was late)."""
    done = tx.connection.execute(
        update(outbox)
        .where(outbox.c.id == order.id, outbox.c.state.in_(("open", "held")))
        .values(state="delivered", problem=detail, done_at=to_micros(tx.now))
    )
    return bool(done.rowcount)


def again(tx: Transaction, order: Order, due: datetime, problem: str) -> None:
    """Try later; an order closed meanwhile stays closed."""
    _while_open(tx, order, {"due": to_micros(due), "problem": problem})


def hold(tx: Transaction, order: Order, reason: str) -> None:
    """Wait for a person."""
    _while_open(tx, order, {"state": "held", "problem": reason})


def release(tx: Transaction, order_id: int) -> bool:
    """A person lets a held order go again; False if it was not held."""
    done = tx.connection.execute(
        update(outbox)
        .where(outbox.c.id == order_id, outbox.c.state == "held")
        .values(state="open", due=to_micros(tx.now))
    )
    return bool(done.rowcount)


def withdraw(tx: Transaction, case_no: str, kind: str, reason: str) -> int:
    """Withdraw the undelivered orders of a kind of one case, because a newer decision replaces them; how many."""
    done = tx.connection.execute(
        update(outbox)
        .where(outbox.c.case_no == case_no, outbox.c.kind == kind, outbox.c.state.in_(("open", "held")))
        .values(state="withdrawn", problem=reason, done_at=to_micros(tx.now))
    )
    return int(done.rowcount)


def call_off(tx: Transaction, order: Order, reason: str) -> None:
    """Withdraw one waiting order that has lost its sense (the person wants no text message)."""
    _while_open(tx, order, {"state": "withdrawn", "problem": reason, "done_at": to_micros(tx.now)})


def remark(tx: Transaction, order: Order, detail: str) -> None:
    """What was learnt of a delivered order afterwards; its state does not change."""
    tx.connection.execute(
        update(outbox).where(outbox.c.id == order.id, outbox.c.state == "delivered").values(problem=detail)
    )


def held(tx: Transaction, limit: int = 200) -> list[Order]:
    """Orders that wait for a person, oldest first."""
    rows = tx.connection.execute(select(outbox).where(outbox.c.state == "held").order_by(outbox.c.id).limit(limit))
    return [_order(row) for row in rows]


def counts(tx: Transaction) -> dict[tuple[str, str], int]:
    """(kind, state) -> how many."""
    rows = tx.connection.execute(select(outbox.c.kind, outbox.c.state, func.count()).group_by("kind", "state"))
    return {(kind, state): number for kind, state, number in rows}


def oldest_open(tx: Transaction) -> datetime | None:
    """When the oldest open order was made, or None."""
    value = tx.connection.scalar(select(func.min(outbox.c.created_at)).where(outbox.c.state == "open"))
    return None if value is None else from_micros(value)


def _while_open(tx: Transaction, order: Order, values: dict[str, Any]) -> None:
    tx.connection.execute(
        update(outbox).where(outbox.c.id == bindparam("the_id"), outbox.c.state == "open").values(**values),
        {"the_id": order.id},
    )


def _order(row: Row[Any]) -> Order:
    return Order(
        id=row.id,
        kind=row.kind,
        case_no=row.case_no,
        state=OrderState(row.state),
        due=from_micros(row.due),
        attempts=row.attempts,
        payload=json.loads(row.payload),
        problem=row.problem,
        created_at=from_micros(row.created_at),
        done_at=from_micros_or_none(row.done_at),
    )
