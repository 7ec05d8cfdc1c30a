"""The history (办理过程): every step of every case, appended and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from petition.workflow import Status
from store import tables
from store.moments import from_micros, to_micros
from store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. public: whether the petitioner sees it; words: for people, may name persons, sealed at rest."""

    id: int
    case_no: str
    at: datetime
    event: str
    status: Status
    unit: str
    actor: str
    words: str
    document: str
    public: bool


def append(
    tx: Transaction,
    case_no: str,
    *,
    event: str,
    status: Status,
    actor: str,
    unit: str = "",
    words: str = "",
    document: str = "",
    public: bool = True,
    event_id: str | None = None,
) -> None:
    """Add a step; an `event_id` that is already there raises sqlalchemy's IntegrityError."""
    tx.connection.execute(
        insert(tables.history).values(
            case_no=case_no,
            at=to_micros(tx.now),
            event=event,
            status=status.value,
            unit=unit,
            actor=actor,
            words=tx.vault.seal(words.encode(), _context(case_no)) if words else None,
            document=document,
            public=public,
            event_id=event_id,
        )
    )


def of(tx: Transaction, case_no: str) -> list[Step]:
    """The steps of a case, oldest first."""
    rows = tx.connection.execute(
        select(tables.history).where(tables.history.c.case_no == case_no).order_by(tables.history.c.id)
    )
    return [
        Step(
            id=row.id,
            case_no=row.case_no,
            at=from_micros(row.at),
            event=row.event,
            status=Status(row.status),
            unit=row.unit,
            actor=row.actor,
            words=tx.vault.open(row.words, _context(case_no)).decode() if row.words else "",
            document=row.document,
            public=row.public,
        )
        for row in rows
    ]


def has_event(tx: Transaction, event_id: str) -> bool:
    """Whether an outside event was already applied."""
    return tx.connection.scalar(select(tables.history.c.id).where(tables.history.c.event_id == event_id)) is not None


def _context(case_no: str) -> bytes:
    return b"history\x1f" + case_no.encode()
