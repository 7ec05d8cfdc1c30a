"""Queue tickets (候访号): the day's numbers of a waiting hall, without a gap and without a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from petition.errors import Conflict, NotFound
from store.moments import from_micros, from_micros_or_none, to_micros
from store.tables import queue_tickets as rows
from store.transaction import Transaction


class TicketState(StrEnum):
    """Where the holder of a number is (候访状态)."""

    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    DONE = "done"
    LEFT = "left"


# What may follow what; a number that was called in vain may be called again.
MOVES: Mapping[TicketState, frozenset[TicketState]] = {
    TicketState.WAITING: frozenset({TicketState.LEFT}),
    TicketState.CALLED: frozenset({TicketState.CALLED, TicketState.SERVING, TicketState.DONE, TicketState.LEFT}),
    TicketState.SERVING: frozenset({TicketState.DONE, TicketState.LEFT}),
    TicketState.DONE: frozenset(),
    TicketState.LEFT: frozenset({TicketState.CALLED}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One number of one day. office: code of the unit whose hall it is; priority: a key of visits.toml or empty."""

    office: str
    number: int
    state: TicketState
    window: str
    priority: str
    source: str
    calls: int
    issued_at: datetime
    called_at: datetime | None


def issue(tx: Transaction, office: str, source: str, priority: str = "") -> Ticket:
    """The next number of the day. sqlalchemy's IntegrityError when another process took it: try again."""
    day = _day(tx)
    last = tx.connection.scalar(select(func.max(rows.c.number)).where(rows.c.day == day, rows.c.office == office))
    number = int(last or 0) + 1
    values = {"day": day, "office": office, "number": number, "state": TicketState.WAITING.value}
    tx.connection.execute(insert(rows).values(**values, priority=priority, source=source, issued_at=to_micros(tx.now)))
    return get(tx, office, number)


def call_next(tx: Transaction, office: str, window: str, ranks: Mapping[str, int]) -> Ticket | None:
    """Call whoever is next: by the rank of the priority, lowest first and none last, then by number; None: nobody."""
    last = max(ranks.values(), default=0) + 1
    waiting = [each for each in today(tx, office) if each.state is TicketState.WAITING]
    for each in sorted(waiting, key=lambda one: (ranks.get(one.priority, last), one.number)):
        if _moved(tx, each, TicketState.CALLED, window):
            return get(tx, office, each.number)
    return None


def move(tx: Transaction, office: str, number: int, state: TicketState, window: str = "") -> Ticket:
    """Bring a number to a state; NotFound, or Conflict when it is elsewhere by now. Called again counts the calls."""
    ticket = get(tx, office, number)
    if state not in MOVES[ticket.state] or not _moved(tx, ticket, state, window or ticket.window):
        raise Conflict(f"{number}号现在的状态不能这样办理，请看最新的列表。")
    return get(tx, office, number)


def get(tx: Transaction, office: str, number: int) -> Ticket:
    """The number of today; NotFound."""
    wanted = select(rows).where(rows.c.day == _day(tx), rows.c.office == office, rows.c.number == number)
    row = tx.connection.execute(wanted).one_or_none()
    if row is None:
        raise NotFound(f"今天没有{number}号。")
    return _ticket(row)


def today(tx: Transaction, office: str) -> list[Ticket]:
    """All numbers of the office today, in order."""
    wanted = select(rows).where(rows.c.day == _day(tx), rows.c.office == office).order_by(rows.c.number)
    return [_ticket(row) for row in tx.connection.execute(wanted)]


def offices(tx: Transaction) -> list[str]:
    """The offices that have issued a number today."""
    wanted = select(rows.c.office).where(rows.c.day == _day(tx)).distinct().order_by(rows.c.office)
    return list(tx.connection.scalars(wanted))


def _moved(tx: Transaction, ticket: Ticket, state: TicketState, window: str) -> bool:
    values: dict[str, Any] = {"state": state.value, "window": window}
    if state is TicketState.CALLED:
        values |= {"calls": rows.c.calls + 1, "called_at": to_micros(tx.now), "done_at": None}
    elif state in (TicketState.DONE, TicketState.LEFT):
        values["done_at"] = to_micros(tx.now)
    done = tx.connection.execute(
        update(rows)
        .where(
            rows.c.day == _day(tx),
            rows.c.office == ticket.office,
            rows.c.number == ticket.number,
            rows.c.state == ticket.state.value,
        )
        .values(**values)
    )
    return done.rowcount == 1


def _day(tx: Transaction) -> str:
    return tx.now.date().isoformat()


def _ticket(row: Row[Any]) -> Ticket:
    return Ticket(
        office=row.office,
        number=row.number,
        state=TicketState(row.state),
        window=row.window,
        priority=row.priority,
        source=row.source,
        calls=row.calls,
        issued_at=from_micros(row.issued_at),
        called_at=from_micros_or_none(row.called_at),
    )
