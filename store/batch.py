"""A batch (成批写入): the rows of one group commit, gathered table by table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from petition.arrival import Outcome
from petition.errors import NotFound
from petition.workflow import Status
from store import tables
from store.bulk import insert_rows
from store.entry import Entry
from store.moments import to_micros
from store.petitions import THREAD
from store.transaction import Transaction


@dataclass(slots=True)
class Batch:
    """The rows of one batch, table by table, in the order they are written."""

    ledger: list[dict[str, Any]] = field(default_factory=list)
    originals: dict[str, dict[str, Any]] = field(default_factory=dict)
    petitions: list[dict[str, Any]] = field(default_factory=list)
    look_ups: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    outbox: list[dict[str, Any]] = field(default_factory=list)


def open_case(batch: Batch, tx: Transaction, entry: Entry, ledger_id: int, case_no: str, outcome: Outcome) -> None:
    """Add the rows of a new case: record, look-up codes, first steps, orders."""
    now = to_micros(tx.now)
    received = to_micros(entry.received_at)
    batch.petitions.append(
        {
            "case_no": case_no,
            "ledger_id": ledger_id,
            "uid": entry.uid,
            "channel": entry.channel,
            "form": entry.form.value,
            "standing": outcome.value,
            "hold_reason": entry.reason if outcome is Outcome.HELD else "",
            "status": entry.status.value,
            "unit": "",
            "lane": entry.lane,
            "region": entry.problem_region,
            "category": entry.category,
            "purpose": entry.purpose,
            "urgency": entry.urgency,
            "headcount": entry.headcount,
            "record": entry.record,
            "code_hash": entry.code_hash,
            "version": 1,
            "received_at": received,
            "read_at": now if entry.read else None,
            "confirmed_at": None,
            "updated_at": now,
        }
    )
    for kind, code in entry.look_ups:
        batch.look_ups.append({"code": code, "case_no": case_no, "kind": kind})
    batch.history.append(_step(case_no, received, "receive", Status.RECEIVED))
    if entry.status is Status.REGISTERED:
        batch.history.append(_step(case_no, now, "register", Status.REGISTERED))
    due = now if entry.due is None else to_micros(entry.due)
    for kind, payload in entry.orders:
        batch.outbox.append(_order(kind, case_no, now, payload, due))


def attach(batch: Batch, tx: Transaction, entry: Entry) -> None:
    """Add the rows of an event that belongs to a case: its step and its orders; NotFound if there is no such case."""
    now = to_micros(tx.now)
    status = tx.connection.scalar(
        select(tables.petitions.c.status).where(tables.petitions.c.case_no == entry.attach_to)
    )
    if status is None:
        raise NotFound()
    for kind, code in entry.look_ups:
        if kind == THREAD:
            batch.look_ups.append({"code": code, "case_no": entry.attach_to, "kind": kind})
    batch.history.append(_step(entry.attach_to, now, "supplement", Status(status)))
    for kind, payload in entry.orders:
        batch.outbox.append(_order(kind, entry.attach_to, now, payload, now))


def _step(case_no: str, at: int, event: str, status: Status) -> dict[str, Any]:
    return {
        "case_no": case_no,
        "at": at,
        "event": event,
        "status": status.value,
        "unit": "",
        "actor": "gateway",
        "words": None,
        "document": "",
        "public": True,
        "event_id": None,
    }


def _order(kind: str, case_no: str, now: int, payload: Mapping[str, Any], due: int) -> dict[str, Any]:
    return {
        "kind": kind,
        "case_no": case_no,
        "state": "open",
        "due": due,
        "attempts": 0,
        "payload": json.dumps(payload, ensure_ascii=False) if payload else "{}",
        "problem": "",
        "created_at": now,
    }


def write(tx: Transaction, batch: Batch) -> None:
    """Write the rows, table by table."""
    connection = tx.connection
    insert_rows(connection, tables.ledger, batch.ledger)
    insert_rows(connection, tables.originals, list(batch.originals.values()), conflict="ON CONFLICT DO NOTHING")
    insert_rows(connection, tables.petitions, batch.petitions)
    insert_rows(connection, tables.look_ups, batch.look_ups, conflict="ON CONFLICT DO NOTHING")
    insert_rows(connection, tables.history, batch.history)
    insert_rows(connection, tables.outbox, batch.outbox)
