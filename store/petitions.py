"""The petitions (信访事项): the current record of each case; what it was before stands in the history."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, insert, select, update

from petition import numbering
from petition.arrival import Outcome
from petition.errors import Conflict, NotFound
from petition.origin import SITE, THEME
from petition.petition import Form, Lane, Petition, Urgency
from petition.workflow import Status
from store import announcements, history, hotline_orders
from store.moments import from_micros, from_micros_or_none, to_micros
from store.tables import look_ups, petitions
from store.transaction import Transaction
from store.vault import Vault

THREAD = "thread"  # kind of look-up by which a conversation finds its case; it is no mark of a person
_KEPT = (THREAD, THEME, SITE)  # kinds that reading does not work out anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A stored case: the record and where it stands. version guards against two hands on one case."""

    case_no: str
    ledger_id: int
    uid: bytes
    channel: str
    form: Form
    standing: Outcome
    hold_reason: str
    status: Status
    unit: str
    lane: Lane
    petition: Petition
    version: int
    received_at: datetime
    read_at: datetime | None
    confirmed_at: datetime | None
    updated_at: datetime

    @property
    def region(self) -> str:
        """问题属地."""
        return self.petition.problem_region

    @property
    def category(self) -> str:
        """内容分类."""
        return self.petition.category

    @property
    def urgency(self) -> Urgency:
        """紧急程度."""
        return self.petition.urgency


def context_of(uid: bytes) -> bytes:
    """What a record is sealed to: its own case, so that records cannot be exchanged."""
    return b"petition\x1f" + uid


def seal_record(vault: Vault, record: bytes, uid: bytes) -> bytes:
    """A record's JSON as it is stored."""
    return vault.seal(record, context_of(uid))


def code_hash(vault: Vault, uid: bytes, query_code: str) -> bytes:
    """The salted, keyed hash under which a query code is stored; the code itself never is."""
    return vault.mac("query-code", uid + numbering.normal_query_code(query_code).encode())


def find(tx: Transaction, case_no: str) -> Case | None:
    """The case of that number, or None."""
    row = tx.connection.execute(select(petitions).where(petitions.c.case_no == case_no)).one_or_none()
    return None if row is None else _case(tx, row)


def get(tx: Transaction, case_no: str) -> Case:
    """The case of that number; NotFound if there is none."""
    case = find(tx, case_no)
    if case is None:
        raise NotFound()
    return case


def check_code(tx: Transaction, case_no: str, query_code: str) -> bool:
    """Whether the query code opens the case; takes the same time for a number that does not exist."""
    row = tx.connection.execute(
        select(petitions.c.uid, petitions.c.code_hash).where(petitions.c.case_no == case_no)
    ).one_or_none()
    uid, stored = (row.uid, row.code_hash) if row is not None else (b"", bytes(32))
    return hmac.compare_digest(code_hash(tx.vault, uid, query_code), stored) and row is not None


def amend(
    tx: Transaction,
    case: Case,
    *,
    actor: str,
    event: str,
    petition: Petition | None = None,
    status: Status | None = None,
    unit: str | None = None,
    lane: Lane | None = None,
    standing: Outcome | None = None,
    hold_reason: str | None = None,
    confirmed: bool = False,
    read: bool = False,
    words: str = "",
    document: str = "",
    public: bool = True,
    event_id: str | None = None,
) -> Case:
    """Write a new version of the case and its step of history; Conflict if somebody was faster.

    Raises sqlalchemy's IntegrityError when `event_id` was already applied.
    """
    changed = replace(
        case,
        petition=petition or case.petition,
        status=status or case.status,
        unit=case.unit if unit is None else unit,
        lane=lane or case.lane,
        standing=standing or case.standing,
        hold_reason=case.hold_reason if hold_reason is None else hold_reason,
        version=case.version + 1,
        confirmed_at=tx.now if confirmed else case.confirmed_at,
        read_at=tx.now if read else case.read_at,
        updated_at=tx.now,
    )
    record = changed.petition
    values: dict[str, Any] = {
        "standing": changed.standing.value,
        "hold_reason": changed.hold_reason,
        "status": changed.status.value,
        "unit": changed.unit,
        "lane": changed.lane.value,
        "region": record.problem_region,
        "category": record.category,
        "purpose": record.purpose.value if record.purpose else "",
        "urgency": record.urgency.value,
        "headcount": record.headcount,
        "version": changed.version,
        "confirmed_at": None if changed.confirmed_at is None else to_micros(changed.confirmed_at),
        "updated_at": to_micros(tx.now),
    }
    if petition is not None:
        values["record"] = seal_record(tx.vault, tx.records.petition_to_store(replace(petition, case_no="")), case.uid)
    if read:
        values["read_at"] = to_micros(tx.now)
    done = tx.connection.execute(
        update(petitions)
        .where(petitions.c.case_no == case.case_no, petitions.c.version == case.version)
        .values(**values)
    )
    if done.rowcount != 1:
        raise Conflict("这件事项刚刚被别人改动过，请刷新后再办理。您填写的内容没有丢失。")
    if changed.status is not case.status and changed.status in tx.told and changed.lane is not Lane.SEALED:
        announcements.order(tx, case.case_no, changed.status, record)
    hotline_orders.tell(tx, case.case_no, case.status, changed.status, changed.version)
    history.append(
        tx,
        case.case_no,
        event=event,
        status=changed.status,
        unit=changed.unit,
        actor=actor,
        words=words,
        document=document,
        public=public,
        event_id=event_id,
    )
    return changed


def index_people(tx: Transaction, case_no: str, codes: Iterable[tuple[str, bytes]]) -> None:
    """Replace the look-up codes of a case; its conversations stay."""
    tx.connection.execute(delete(look_ups).where(look_ups.c.case_no == case_no, look_ups.c.kind.not_in(_KEPT)))
    rows = [{"case_no": case_no, "kind": kind, "code": code} for kind, code in dict.fromkeys(codes)]
    if rows:
        tx.connection.execute(insert(look_ups), rows)


def marked(tx: Transaction, kind: str, code: str) -> Select[Any]:
    """The numbers of the cases with a theme or a place, as a part of a larger question."""
    return select(look_ups.c.case_no).where(look_ups.c.code == tx.vault.index(kind, code), look_ups.c.kind == kind)


def by_people(tx: Transaction, codes: Sequence[bytes], limit: int = 50) -> list[tuple[str, str]]:
    """(case number, kind) of the cases that share a look-up code, newest first."""
    rows = tx.connection.execute(
        select(look_ups.c.case_no, look_ups.c.kind)
        .join(petitions, petitions.c.case_no == look_ups.c.case_no)
        .where(look_ups.c.code.in_(codes))
        .order_by(petitions.c.received_at.desc())
        .limit(limit)
    )
    return [(row.case_no, row.kind) for row in rows]


def recent(tx: Transaction, channel: str, codes: Sequence[bytes], since: datetime | None = None) -> str:
    """The newest case of a channel that has one of the look-up codes, received at or after `since`; empty if none."""
    wanted = (
        select(petitions.c.case_no)
        .join(look_ups, petitions.c.case_no == look_ups.c.case_no)
        .where(look_ups.c.code.in_(codes), petitions.c.channel == channel)
        .order_by(petitions.c.received_at.desc())
        .limit(1)
    )
    if since is not None:
        wanted = wanted.where(petitions.c.received_at >= to_micros(since))
    return tx.connection.scalar(wanted) or ""


def has_code(tx: Transaction, case_no: str, code: bytes) -> bool:
    """Whether a case has this look-up code."""
    found = select(look_ups.c.case_no).where(look_ups.c.case_no == case_no, look_ups.c.code == code)
    return tx.connection.scalar(found) is not None


def cases(tx: Transaction, case_nos: Iterable[str]) -> list[Case]:
    """The cases of these numbers, in no promised order."""
    rows = tx.connection.execute(select(petitions).where(petitions.c.case_no.in_(list(case_nos))))
    return [_case(tx, row) for row in rows]


def versions(tx: Transaction, case_nos: Sequence[str]) -> list[tuple[str, int]]:
    """(case number, version) of these cases, newest first; cases of the sealed lane are left out."""
    wanted = select(petitions.c.case_no, petitions.c.version).where(
        petitions.c.case_no.in_(case_nos), petitions.c.lane == Lane.NORMAL.value
    )
    rows = tx.connection.execute(wanted.order_by(petitions.c.received_at.desc()))
    return [(row.case_no, row.version) for row in rows]


def newest(tx: Transaction, region_prefix: str, limit: int = 100) -> list[tuple[str, int]]:
    """(case number, version) of the newest cases of the normal lane whose problem place lies in the region."""
    wanted = (
        select(petitions.c.case_no, petitions.c.version)
        .where(*_inside(region_prefix), petitions.c.lane == Lane.NORMAL.value)
        .order_by(petitions.c.received_at.desc())
        .limit(limit)
    )
    return [(row.case_no, row.version) for row in tx.connection.execute(wanted)]


def queue(
    tx: Transaction,
    *,
    standing: Outcome | None = None,
    status: Sequence[Status] = (),
    confirmed: bool | None = None,
    units: Sequence[str] | None = None,
    region_prefix: str = "",
    lanes: Sequence[Lane] = (Lane.NORMAL,),
    limit: int = 100,
) -> list[Case]:
    """Cases of a desk queue, oldest first; only lanes that are named are seen."""
    wanted = _filtered(select(petitions), standing, status, confirmed, units, region_prefix, lanes)
    return [_case(tx, row) for row in tx.connection.execute(wanted.order_by(petitions.c.received_at).limit(limit))]


def count(
    tx: Transaction,
    *,
    standing: Outcome | None = None,
    status: Sequence[Status] = (),
    confirmed: bool | None = None,
    units: Sequence[str] | None = None,
    region_prefix: str = "",
    lanes: Sequence[Lane] = (Lane.NORMAL,),
) -> int:
    """How many cases `queue` would find without its limit."""
    wanted = _filtered(
        select(func.count()).select_from(petitions), standing, status, confirmed, units, region_prefix, lanes
    )
    return int(tx.connection.scalar(wanted) or 0)


def _filtered(
    wanted: Select[Any],
    standing: Outcome | None,
    status: Sequence[Status],
    confirmed: bool | None,
    units: Sequence[str] | None,
    region_prefix: str,
    lanes: Sequence[Lane],
) -> Select[Any]:
    wanted = wanted.where(petitions.c.lane.in_([lane.value for lane in lanes]))
    if standing is not None:
        wanted = wanted.where(petitions.c.standing == standing.value)
    if status:
        wanted = wanted.where(petitions.c.status.in_([one.value for one in status]))
    if confirmed is not None:
        known = petitions.c.confirmed_at.is_not(None) if confirmed else petitions.c.confirmed_at.is_(None)
        wanted = wanted.where(known)
    if units is not None:
        wanted = wanted.where(petitions.c.unit.in_(list(units)))
    if region_prefix:
        # A case without a known place is everybody's in the office until somebody finds the place.
        wanted = wanted.where(and_(*_inside(region_prefix)) | (petitions.c.region == ""))
    return wanted


def _inside(region_prefix: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return petitions.c.region >= region_prefix, petitions.c.region < region_prefix + ":"  # ":" follows "9"


def every(tx: Transaction, batch: int = 500) -> Iterable[Case]:
    """All cases in the order of their numbers, read in batches."""
    after = ""
    while True:
        wanted = select(petitions).where(petitions.c.case_no > after).order_by(petitions.c.case_no).limit(batch)
        rows = tx.connection.execute(wanted).all()
        if not rows:
            return
        for row in rows:
            yield _case(tx, row)
        after = rows[-1].case_no


def _case(tx: Transaction, row: Row[Any]) -> Case:
    record = tx.records.petition_from_json(tx.vault.open(row.record, context_of(row.uid)))
    return Case(
        case_no=row.case_no,
        ledger_id=row.ledger_id,
        uid=row.uid,
        channel=row.channel,
        form=Form(row.form),
        standing=Outcome(row.standing),
        hold_reason=row.hold_reason,
        status=Status(row.status),
        unit=row.unit,
        lane=Lane(row.lane),
        petition=replace(record, case_no=row.case_no),
        version=row.version,
        received_at=from_micros(row.received_at),
        read_at=from_micros_or_none(row.read_at),
        confirmed_at=from_micros_or_none(row.confirmed_at),
        updated_at=from_micros(row.updated_at),
    )
