"""Orders of the 12345 platform (热线工单): the newest content of each number, and what the platform is to be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from petition.workflow import Status
from store import outbox
from store.bulk import insert_rows
from store.moments import to_micros
from store.seat_tables import hotline_orders
from store.transaction import Transaction

KIND = "hotline-status"  # of the outbox orders that tell the platform


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an order number. digest: SHA-256 of its newest content; changes: how often it was changed."""

    case_no: str
    digest: str
    changes: int


def find(tx: Transaction, order_no: str) -> Known | None:
    """What is known of that number, or None."""
    row = tx.connection.execute(select(hotline_orders).where(hotline_orders.c.order_no == order_no)).one_or_none()
    return None if row is None else Known(row.case_no, row.digest, row.changes)


def note(tx: Transaction, order_no: str, known: Known) -> None:
    """Remember the newest content; an older count never takes the place of a newer one."""
    row: dict[str, Any] = {
        "order_no": order_no,
        "case_no": known.case_no,
        "digest": known.digest,
        "changes": known.changes,
        "updated_at": to_micros(tx.now),
    }
    insert_rows(
        tx.connection,
        hotline_orders,
        [row],
        conflict=(
            "ON CONFLICT (order_no) DO UPDATE SET case_no = excluded.case_no, digest = excluded.digest,"
            " changes = excluded.changes, updated_at = excluded.updated_at"
            " WHERE excluded.changes >= hotline_orders.changes"
        ),
    )


def numbers(tx: Transaction, case_no: str) -> tuple[str, ...]:
    """The order numbers that belong to a case."""
    wanted = select(hotline_orders.c.order_no).where(hotline_orders.c.case_no == case_no)
    return tuple(tx.connection.scalars(wanted.order_by(hotline_orders.c.order_no)))


def tell(tx: Transaction, case_no: str, before: Status, after: Status, version: int) -> None:
    """Order that the platform is told of a new status, if the case is one of its own; an older word is withdrawn."""
    if after is before or not numbers(tx, case_no):
        return
    outbox.withdraw(tx, case_no, KIND, "已有更新的状态")
    payload = {"status": after.value, "version": version, "at": tx.now.isoformat()}
    outbox.add(tx, KIND, case_no, payload=payload)
