"""The reading (补读): what the door deferred is read by a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import structlog

from config.group import GroupRules
from normalizer import joint
from normalizer.draft import SAID, Draft
from normalizer.intake import look_up_codes
from normalizer.pipeline import Pipeline, StageFailed
from petition.arrival import READING_FAILED, Arrival, Outcome, Statement
from petition.attachment import Attachment
from petition.errors import Conflict
from petition.people import Person
from petition.petition import Lane, Petition
from petition.workflow import Status
from store import outbox, petitions
from store.database import Store
from store.outbox import Order, OrderState
from store.petitions import Case, context_of
from store.transaction import Transaction

log = structlog.get_logger(__name__)


class Reading:
    """Reads what waits. Called with order ids from worker threads; doing the same order twice changes nothing."""

    def __init__(self, store: Store, pipeline: Pipeline, rules: GroupRules) -> None:
        self._store = store
        self._rules = rules
        self._pipeline = pipeline

    def __call__(self, order_id: int) -> None:
        """Carry out a read order, of a new arrival or a supplement; Conflict or Unavailable: it must be tried again."""
        order = self._store.read_now(lambda tx: outbox.find(tx, order_id))
        if order is None or order.state is not OrderState.OPEN:
            return
        if "supplement" in order.payload:
            self._store.write_now(lambda tx: _join(tx, order, self._rules))
            return
        case = self._store.read_now(lambda tx: petitions.get(tx, order.case_no))
        if case.read_at is not None:
            self._store.write_now(lambda tx: outbox.delivered(tx, order, "read before"))
            return
        draft = Draft.of(_arrival(case))
        try:
            self._pipeline.read(draft)
        except StageFailed as problem:
            log.error("stage failed", stage=problem.stage, case_no=case.case_no)
            reason = f"{READING_FAILED}「{problem.stage}」没有完成"
            self._store.write_now(lambda tx: _hold(tx, order, reason))
            return
        self._store.write_now(lambda tx: _finish(tx, order, draft, case.version))


def _arrival(case: Case) -> Arrival:
    """The arrival again, from an unread record: it holds what was stated and nothing else."""
    record = case.petition
    said = {name: getattr(record, name) for name in _SAID if name in record.evidence}
    return Arrival(
        channel=case.channel,
        form=record.form,
        raw_id=record.raw_id,
        received_at=record.received_at,
        petition_date=record.petition_date,
        raw=b"",
        raw_type="",
        statement=Statement(
            **said,
            privacy_notice_version=record.privacy_notice_version,
            record_consent=record.record_consent,
        ),
        source=record.source,
        sub_source=record.sub_source,
        notes=record.notes,  # nobody but the door can have left any yet
    )


_SAID = tuple(sorted(field.name for field in fields(Statement)))


def _finish(tx: Transaction, order: Order, draft: Draft, version: int) -> None:
    case = petitions.get(tx, order.case_no)
    if case.read_at is None:
        if case.version != version:
            raise Conflict()  # a supplement joined while it was read: it is read again with it
        record = draft.to_petition(case.case_no, tx.now, case.petition.attachments)
        # Sealed stays sealed: reading may close a lane, never open one.
        lane = Lane.SEALED if Lane.SEALED in (case.lane, draft.lane) else Lane.NORMAL
        petitions.amend(
            tx,
            case,
            petition=record,
            status=Status.REGISTERED,
            lane=lane,
            read=True,
            actor="gateway",
            event="register",
        )
        petitions.index_people(tx, case.case_no, look_up_codes(tx.vault, record))
        outbox.add(tx, "dispatch", case.case_no)
    outbox.delivered(tx, order)


def _hold(tx: Transaction, order: Order, reason: str) -> None:
    case = petitions.get(tx, order.case_no)
    petitions.amend(tx, case, standing=Outcome.HELD, hold_reason=reason, actor="gateway", event="hold", public=False)
    outbox.delivered(tx, order, "held for a person")


def _join(tx: Transaction, order: Order, rules: GroupRules) -> None:
    """Add a supplement's words, files and answers to its case and tell the unit that has it."""
    case = petitions.get(tx, order.case_no)
    uid = bytes.fromhex(order.payload["uid"])
    said = tx.records.statement_from_json(tx.vault.open(bytes.fromhex(order.payload["supplement"]), context_of(uid)))
    if joint.applies(said):
        return joint.carry_out(tx, order, case, said, rules)
    record = _joined(case.petition, said, order)
    if record != case.petition:
        petitions.amend(tx, case, petition=record, actor="gateway", event="supplement_joined", public=False)
    if record.petitioners != case.petition.petitioners:
        petitions.index_people(tx, case.case_no, look_up_codes(tx.vault, record))
    if not outbox.delivered(tx, order):
        return
    if order.payload.get("settled"):
        outbox.hasten(tx, case.case_no, "read")
    # What waits for a person or to be read leaves whole after that; an order now would go too early or be held.
    waits = case.standing is Outcome.HELD or (case.standing is Outcome.PETITION and case.read_at is None)
    if not waits:
        outbox.add(tx, "dispatch", case.case_no, payload={"because": "supplement"})


def _joined(record: Petition, said: Statement, order: Order) -> Petition:
    day = f"{order.created_at:%Y-%m-%d %H:%M}"
    words = "\n".join(part for part in (said.content, *said.requests) if part)
    files = tuple(_file(file) for file in order.payload.get("files", ()))
    record = replace(_answered(record, said), attachments=record.attachments + files)
    if not words:
        return record
    content = f"{record.content}\n\n【补充 {day}】\n{words}".lstrip("\n")
    return replace(record, content=content, evidence={"content": SAID, **record.evidence})


def _answered(record: Petition, said: Statement) -> Petition:
    """The record with what the supplement states and nobody had said: who, where. What is known stays."""
    filled: dict[str, Any] = {}
    if said.occur_place and not record.occur_place:
        filled["occur_place"] = said.occur_place
    if len(said.petitioners) == 1 and len(record.petitioners) <= 1:
        known = record.petitioners[0] if record.petitioners else Person()
        if (person := _same_person(known, said.petitioners[0])) is not None and person != known:
            filled["petitioners"] = (person,)
            filled["is_anonymous"] = record.is_anonymous and not person.name
    if said.is_anonymous and not any(person.name for person in record.petitioners):
        filled["is_anonymous"] = True
    stated = {name for name, value in filled.items() if value}
    return replace(record, **filled, evidence={**record.evidence, **dict.fromkeys(stated, SAID)})


def _same_person(known: Person, said: Person) -> Person | None:
    """Both in one, or None when they contradict each other: then it may be somebody else, and a person decides."""
    changes = {}
    for name in _PERSONAL:
        mine, theirs = getattr(known, name), getattr(said, name)
        if mine and theirs and mine != theirs:
            return None
        if theirs and not mine:
            changes[name] = theirs
    return replace(known, **changes)


# The role and the kind of identity paper stay as they were stated first.
_PERSONAL = tuple(field.name for field in fields(Person) if field.name not in ("role", "id_type"))


def _file(file: Mapping[str, Any]) -> Attachment:
    return Attachment(name=file["name"], media_type=file["media_type"], size=file["size"], sha256=file["sha256"])
