"""The audit trail (查阅留痕): who looked at what and why; rows are appended, never changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select

from store.moments import from_micros, to_micros
from store.tables import audit
from store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One row. actor: `officer:<name>` or a part of the house; fields: names of what was seen, never its values."""

    id: int
    at: datetime
    actor: str
    action: str
    case_no: str
    reason: str
    fields: tuple[str, ...]
    address: str


def record(
    tx: Transaction,
    actor: str,
    action: str,
    case_no: str = "",
    reason: str = "",
    fields: Sequence[str] = (),
    address: str = "",
) -> None:
    """Append a row, in the transaction of the read or change it tells of: there is neither without the other."""
    tx.connection.execute(
        insert(audit).values(
            at=to_micros(tx.now),
            actor=actor,
            action=action,
            case_no=case_no,
            reason=reason,
            fields=json.dumps(list(fields), ensure_ascii=False),
            address=address,
        )
    )


def of(tx: Transaction, case_no: str, limit: int = 200) -> list[AuditRow]:
    """The rows of one case, newest first."""
    wanted = select(audit).where(audit.c.case_no == case_no).order_by(audit.c.id.desc()).limit(limit)
    return [_row(row) for row in tx.connection.execute(wanted)]


def recent(tx: Transaction, *, actor: str = "", before: int | None = None, limit: int = 200) -> list[AuditRow]:
    """The newest rows, of one actor if named; `before` is the id of the last row of the page above."""
    wanted = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if actor:
        wanted = wanted.where(audit.c.actor == actor)
    if before is not None:
        wanted = wanted.where(audit.c.id < before)
    return [_row(row) for row in tx.connection.execute(wanted)]


def _row(row: Row[Any]) -> AuditRow:
    return AuditRow(
        id=row.id,
        at=from_micros(row.at),
        actor=row.actor,
        action=row.action,
        case_no=row.case_no,
        reason=row.reason,
        fields=tuple(json.loads(row.fields)),
        address=row.address,
    )
