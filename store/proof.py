"""The proof (台账核验): walks the whole ledger and names the first entry that is not what was written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from petition.arrival import Outcome
from petition.errors import NotFound
from store import checkpoints, tables
from store.database import Store
from store.ledger import PLACE, ZERO, head_message, row_hash
from store.petitions import context_of
from store.transaction import Transaction
from store.vault import BrokenSeal, digest_of

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not whole. entry: channel and number, case or file it was found at."""

    entry: str
    words: str


@dataclass(slots=True)
class _Chain:
    place: int = 0
    head: bytes = ZERO
    counters: dict[str, int] = field(default_factory=dict)
    marks: dict[int, bytes] = field(default_factory=dict)


def verify(store: Store, data: Path, told: Callable[[int], None] = lambda _: None) -> list[Fault]:
    """Every fault found, first one first; an empty list means the chain, the counters and the originals are whole.

    told is called with the number of entries done so far, for a progress line.
    """
    return store.read_now(lambda tx: list(_faults(tx, store, data, told)))


def _faults(tx: Transaction, store: Store, data: Path, told: Callable[[int], None]) -> Iterator[Fault]:
    signed = list(_checkpoints(data, tx))
    for mark in signed:
        if isinstance(mark, Fault):
            yield mark
    wanted = {(mark[0], mark[1]) for mark in signed if not isinstance(mark, Fault)}
    chains: dict[int, _Chain] = {}
    done = 0
    for row in _entries(tx):
        number, place = divmod(row.id, PLACE)
        chain = chains.setdefault(number, _Chain())
        yield from _entry(tx, store, row, chain, place)
        if (number, place) in wanted:
            chain.marks[place] = chain.head
        done += 1
        if done % BATCH == 0:
            told(done)
    told(done)
    yield from _heads(tx, chains)
    for mark in signed:
        if isinstance(mark, Fault):
            continue
        number, place, head = mark
        found = chains.get(number, _Chain())
        if place and found.marks.get(place) != head:
            yield Fault(f"checkpoint {number}/{place}", "台账与已签名的校验点不一致：校验点之后的记录被整体替换或删除")
    yield from _cases(tx)


def _entries(tx: Transaction) -> Iterator[Row[Any]]:
    after = 0
    while True:
        wanted = select(tables.ledger).where(tables.ledger.c.id > after).order_by(tables.ledger.c.id).limit(BATCH)
        rows = tx.connection.execute(wanted).all()
        yield from rows
        if len(rows) < BATCH:
            return
        after = rows[-1].id


def _entry(tx: Transaction, store: Store, row: Row[Any], chain: _Chain, place: int) -> Iterator[Fault]:
    name = f"{row.channel} #{row.counter} (entry {row.id})"
    if place != chain.place + 1:
        yield Fault(name, f"前面缺少第 {chain.place + 1} 至 {place - 1} 条台账记录")
    elif row.prev != chain.head:
        yield Fault(name, "与上一条台账记录的链接不符")
    if row_hash(row._asdict()) != row.hash:
        yield Fault(name, "台账记录的内容被改动")
    expected = chain.counters.get(row.channel, 0) + 1
    if row.counter != expected:
        yield Fault(name, f"渠道流水号应为 {expected}，实为 {row.counter}")
    chain.place, chain.head = place, row.hash
    chain.counters[row.channel] = row.counter
    yield from _original(tx, store, row, name)
    if row.outcome in (Outcome.PETITION, Outcome.HELD):
        yield from _record(tx, row, name)


def _original(tx: Transaction, store: Store, row: Row[Any], name: str) -> Iterator[Fault]:
    sealed = tx.connection.scalar(select(tables.originals.c.sealed).where(tables.originals.c.digest == row.digest))
    try:
        if sealed is None:
            _read_through(store, row.digest)
        elif digest_of(tx.vault.open(sealed, original_context(row.digest))) != row.digest:
            yield Fault(name, "原件与登记的摘要不符")
    except NotFound:
        yield Fault(name, "原件缺失")
    except BrokenSeal:
        yield Fault(name, "原件被改动")
    for digest in json.loads(row.files):
        try:
            _read_through(store, digest)
        except NotFound:
            yield Fault(name, f"附件缺失 {digest[:12]}")
        except (BrokenSeal, OSError):
            yield Fault(name, f"附件被改动 {digest[:12]}")


def _read_through(store: Store, digest: str) -> None:
    for _ in store.files.pieces(digest):
        pass


def _record(tx: Transaction, row: Row[Any], name: str) -> Iterator[Fault]:
    case = tx.connection.execute(
        select(tables.petitions.c.uid, tables.petitions.c.record).where(
            tables.petitions.c.case_no == row.case_no, tables.petitions.c.ledger_id == row.id
        )
    ).one_or_none()
    if case is None:
        yield Fault(name, f"事项 {row.case_no} 缺失")
        return
    try:
        tx.vault.open(case.record, context_of(case.uid))
    except BrokenSeal:
        yield Fault(name, f"事项 {row.case_no} 的记录被改动")


def _heads(tx: Transaction, chains: dict[int, _Chain]) -> Iterator[Fault]:
    heads: dict[int, dict[str, Row[Any]]] = {}
    for row in tx.connection.execute(select(tables.ledger_heads)):
        heads.setdefault(row.chain, {})[row.channel] = row
        message = head_message(row.chain, row.channel, row.counter, row.last_id, row.hash)
        if not tx.vault.same("head", message, row.mac):
            yield Fault(f"head {row.chain}/{row.channel or '*'}", "链头记录被改动")
    for number in sorted(chains.keys() | heads.keys()):
        chain, stored = chains.get(number, _Chain()), heads.get(number, {})
        top = stored.get("")
        if top is None or top.counter != chain.place or top.hash != chain.head:
            last = top.counter if top is not None else 0
            missing = number * PLACE + chain.place + 1
            yield Fault(f"entry {missing}", f"链 {number} 应有 {last} 条，实有 {chain.place} 条")
        for channel in sorted((stored.keys() - {""}) | chain.counters.keys()):
            counted = stored[channel].counter if channel in stored else 0
            if counted != chain.counters.get(channel, 0):
                found = chain.counters.get(channel, 0)
                yield Fault(f"{channel} #{found + 1}", f"渠道流水应到 {counted}，实到 {found}")


def _cases(tx: Transaction) -> Iterator[Fault]:
    """Cases nobody entered, and linked events whose case does not exist."""
    orphans = tx.connection.execute(
        select(tables.petitions.c.case_no)
        .outerjoin(tables.ledger, tables.ledger.c.id == tables.petitions.c.ledger_id)
        .where((tables.ledger.c.id.is_(None)) | (tables.ledger.c.case_no != tables.petitions.c.case_no))
        .order_by(tables.petitions.c.case_no)
    )
    for row in orphans:
        yield Fault(row.case_no, "事项没有对应的台账记录（体外登记）")
    loose = tx.connection.execute(
        select(tables.ledger.c.channel, tables.ledger.c.counter, tables.ledger.c.case_no)
        .outerjoin(tables.petitions, tables.petitions.c.case_no == tables.ledger.c.case_no)
        .where(tables.ledger.c.outcome == Outcome.LINKED.value, tables.petitions.c.case_no.is_(None))
    )
    for row in loose:
        yield Fault(f"{row.channel} #{row.counter}", f"关联的事项 {row.case_no} 不存在")


def _checkpoints(data: Path, tx: Transaction) -> Iterator[tuple[int, int, bytes] | Fault]:
    for line in checkpoints.read(data / "checkpoints.jsonl"):
        try:
            chain, place, head, at = (line[name] for name in ("chain", "place", "head", "at"))
            message = checkpoints.message(int(str(chain)), int(str(place)), str(head), int(str(at)))
            if tx.vault.same("checkpoint", message, bytes.fromhex(str(line["mac"]))):
                yield int(str(chain)), int(str(place)), bytes.fromhex(str(head))
                continue
        except (KeyError, ValueError):
            pass
        yield Fault("checkpoint", "校验点文件被改动")


def original_context(digest: str) -> bytes:
    """What an original in the database is sealed to."""
    return b"original\x1f" + digest.encode()
