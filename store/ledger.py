"""The ledger (登记台账): every inbound event exactly once, numbered without gaps, chained by SHA-256."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from sqlalchemy import Connection, select, text

from petition import numbering
from petition.arrival import Outcome
from petition.errors import Unavailable
from petition.petition import Form
from store import tables
from store.batch import Batch, attach, open_case, write
from store.bulk import execute, insert_rows, mark_of
from store.entry import Entered, Entry
from store.moments import from_micros, to_micros
from store.transaction import Transaction

PLACE = 1 << 40  # ledger id = chain * PLACE + place in the chain
ZERO = bytes(32)
SLOTS = 64  # writers that can share one PostgreSQL database
_LOCK = 0x58464757  # namespace of our advisory locks


@dataclass(slots=True)
class _Known:
    id: int
    case_no: str
    raw_id: str
    digest: str
    files: str
    received_at: int


_KNOWN = "SELECT key, id, case_no, raw_id, digest, files, received_at FROM ledger WHERE key IN ({marks})"
_ASKED = (1, 4, 16, 64, 256)  # keys of one question: few shapes, so that the databases keep them prepared
_NEW_HEAD = (
    "ON CONFLICT (chain, channel) DO UPDATE"
    " SET counter = excluded.counter, last_id = excluded.last_id, hash = excluded.hash, mac = excluded.mac"
)
_PLAIN_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_RESERVE = (
    "INSERT INTO counters (name, value) VALUES ({marks}) ON CONFLICT (name)"
    " DO UPDATE SET value = counters.value + excluded.value RETURNING value"
)


class Checkpoint(Protocol):
    """Told of the head after each commit; decides itself when to write it down."""

    def __call__(self, chain: int, place: int, head: bytes, now: bool = False) -> None:
        """chain, place in it, digest of the head; `now` at a clean stop."""
        ...


class Chain:
    """The hash chain of one writer. Heads are cached between commits and forgotten after any failure."""

    def __init__(self, checkpoint: Checkpoint | None = None) -> None:
        self.slot = 0
        self._head: tuple[int, bytes] | None = None
        self._counters: dict[str, int] = {}
        self._fresh: tuple[int, bytes] | None = None
        self._fresh_counters: dict[str, int] = {}
        self._checkpoint = checkpoint

    def take_slot(self, connection: Connection) -> None:
        """Find the chain this writer owns: 1 on SQLite, a free advisory lock on PostgreSQL."""
        self.forget()
        if connection.dialect.name == "sqlite":
            self.slot = 1
            return
        with connection.begin():
            for slot in range(1, SLOTS + 1):
                if connection.scalar(select(text(f"pg_try_advisory_lock({_LOCK}, {slot})"))):
                    self.slot = slot
                    return
        raise Unavailable(f"已有 {SLOTS} 个写入进程，不能再增加。")

    def forget(self) -> None:
        """After a failed commit nothing remembered may be trusted."""
        self._head = self._fresh = None
        self._counters, self._fresh_counters = {}, {}

    def committed(self) -> None:
        """The batch is on disk: what was fresh is the head now."""
        if self._fresh is not None:
            self._head, self._fresh = self._fresh, None
            self._counters.update(self._fresh_counters)
            self._fresh_counters = {}
            if self._checkpoint is not None:
                self._checkpoint(self.slot, *self._head)

    def farewell(self) -> None:
        """The last act of a clean stop: leave a checkpoint of the head."""
        if self._checkpoint is not None and self._head is not None:
            self._checkpoint(self.slot, *self._head, now=True)

    def enter(self, tx: Transaction, entries: Sequence[Entry]) -> list[Entered]:
        """Enter a batch in order; duplicates become linked rows. Runs inside the caller's transaction."""
        place, head = self._load_head(tx)
        known = self._known(tx, entries)
        numbers = _Numbers(tx, entries, known)
        batch, results, counters = Batch(), [], dict[str, int]()
        for entry in entries:
            place += 1
            ledger_id = self.slot * PLACE + place
            counter = counters.get(entry.channel, self._counters.get(entry.channel, 0)) + 1
            counters[entry.channel] = counter
            row, result = _place(entry, ledger_id, known, numbers)
            row["counter"] = counter
            row["prev"] = head
            head = row["hash"] = row_hash(row)
            batch.ledger.append(row)
            if entry.original is not None:
                batch.originals.setdefault(entry.digest, {"digest": entry.digest, "sealed": entry.original})
            if result.outcome in (Outcome.PETITION, Outcome.HELD) and result.ledger_id == ledger_id:
                open_case(batch, tx, entry, ledger_id, result.case_no, result.outcome)
            elif entry.attach_to and result.same and row["key"] is not None:
                attach(batch, tx, entry)
            results.append(result)
        write(tx, batch)
        self._write_heads(tx, place, head, counters)
        self._fresh, self._fresh_counters = (place, head), counters
        return results

    def _load_head(self, tx: Transaction) -> tuple[int, bytes]:
        if self._head is None:
            self._counters = {}
            self._head = (0, ZERO)
            for row in tx.connection.execute(
                select(tables.ledger_heads).where(tables.ledger_heads.c.chain == self.slot)
            ):
                if row.channel == "":
                    self._head = (row.counter, row.hash)
                else:
                    self._counters[row.channel] = row.counter
        return self._head

    def _known(self, tx: Transaction, entries: Sequence[Entry]) -> dict[str, _Known]:
        keys = list({entry.key for entry in entries})
        known = {}
        for start in range(0, len(keys), _ASKED[-1]):
            asked = keys[start : start + _ASKED[-1]]
            shape = next(size for size in _ASKED if len(asked) <= size)
            asked += asked[-1:] * (shape - len(asked))
            for row in execute(tx.connection, _KNOWN.format(marks=_marks(tx, shape)), asked):
                known[row[0]] = _Known(*row[1:])
        return known

    def _write_heads(self, tx: Transaction, place: int, head: bytes, counters: Mapping[str, int]) -> None:
        last = self.slot * PLACE + place
        rows = [("", place), *sorted(counters.items())]
        insert_rows(
            tx.connection,
            tables.ledger_heads,
            [
                {
                    "chain": self.slot,
                    "channel": channel,
                    "counter": counter,
                    "last_id": last,
                    "hash": head,
                    "mac": tx.vault.mac("head", head_message(self.slot, channel, counter, last, head)),
                }
                for channel, counter in rows
            ],
            conflict=_NEW_HEAD,
        )


_Kind = tuple[str, Form, date]


class _Numbers:
    """Case numbers of one batch, reserved at once; the counter row is the truth, also between writers."""

    def __init__(self, tx: Transaction, entries: Sequence[Entry], known: Mapping[str, _Known]) -> None:
        wanted: dict[_Kind, int] = {}
        seen = set(known)
        for entry in entries:
            if entry.outcome is not Outcome.REFUSED and not entry.attach_to and entry.key not in seen:
                seen.add(entry.key)
                kind = _kind(entry)
                wanted[kind] = wanted.get(kind, 0) + 1
        self._serials: dict[_Kind, Iterator[str]] = {}
        # Sorted: two writers that take the same rows in the same order cannot block each other for ever.
        for region, form, day in sorted(wanted):
            count = wanted[region, form, day]
            name = f"case:{region}:{form}:{day:%Y%m%d}"
            [(last,)] = execute(tx.connection, _RESERVE.format(marks=_marks(tx, 2)), (name, count))
            series = numbering.Series(region, form, day)
            self._serials[region, form, day] = map(series.number, itertools.count(last - count + 1))

    def next(self, entry: Entry) -> str:
        return next(self._serials[_kind(entry)])


def _marks(tx: Transaction, count: int) -> str:
    return ", ".join([mark_of(tx.connection)] * count)


def _kind(entry: Entry) -> _Kind:
    return entry.region, entry.form, entry.received_at.date()


def _place(entry: Entry, ledger_id: int, known: dict[str, _Known], numbers: _Numbers) -> tuple[dict[str, Any], Entered]:
    """The ledger row of one entry (without counter and chain) and what its sender learns."""
    files = json.dumps(entry.files) if entry.files else "[]"
    first = known.get(entry.key)
    outcome, reason, key, first_id, case_no, same = entry.outcome, entry.reason, None, None, "", True
    received = entry.received_at
    if outcome is Outcome.REFUSED:
        case_no = entry.attach_to
    elif first is None:
        key = entry.key
        case_no = entry.attach_to or numbers.next(entry)
        if entry.attach_to:
            outcome = Outcome.LINKED
        known[key] = _Known(ledger_id, case_no, entry.raw_id, entry.digest, files, to_micros(received))
    else:
        first_id, case_no, received = first.id, first.case_no, from_micros(first.received_at)
        # Told another way, the bytes must differ; told the same way, they may not.
        same = first.raw_id != entry.raw_id or (first.digest == entry.digest and first.files == files)
        outcome = Outcome.LINKED if same else Outcome.REFUSED
        reason = "duplicate" if same else "same id, other content"
    row = {
        "id": ledger_id,
        "channel": entry.channel,
        "outcome": outcome.value,
        "key": key,
        "raw_id": entry.raw_id,
        "received_at": to_micros(entry.received_at),
        "digest": entry.digest,
        "size": entry.size,
        "media_type": entry.media_type,
        "files": files,
        "case_no": case_no,
        "first_id": first_id,
        "reason": reason,
    }
    told = (first.raw_id, first.digest, first.files) if first is not None and first_id is not None else None
    return row, Entered(ledger_id, case_no, outcome, received, same, told)


def first_event(tx: Transaction, channel: str, raw_id: str) -> tuple[str, str]:
    """(case number, digest) of the first event with this id; both empty if there was none."""
    ledger = tables.ledger.c
    wanted = select(ledger.case_no, ledger.digest).where(ledger.key == f"{channel}\x1f{raw_id}")
    row = tx.connection.execute(wanted).one_or_none()
    return ("", "") if row is None else (row.case_no, row.digest)


def row_hash(row: Mapping[str, Any]) -> bytes:
    """The chained digest of a ledger row: SHA-256 over the previous digest and every field, in a fixed order."""
    body = _PLAIN_JSON.encode([row[name] for name in _HASHED])
    return hashlib.sha256(row["prev"] + body.encode()).digest()


_HASHED = (
    "id",
    "channel",
    "counter",
    "outcome",
    "key",
    "raw_id",
    "received_at",
    "digest",
    "size",
    "media_type",
    "files",
    "case_no",
    "first_id",
    "reason",
)


def head_message(chain: int, channel: str, counter: int, last_id: int, head: bytes) -> bytes:
    """What the code of a head speaks for."""
    return json.dumps([chain, channel, counter, last_id, head.hex()]).encode()
