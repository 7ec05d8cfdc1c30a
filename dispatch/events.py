"""Status events (状态回传): what the routing system tells about a case, verified, applied once, never backwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from standardwebhooks import WebhookVerificationError

from dispatch.couriers.exchange import sealer
from dispatch.routing import Routing
from petition import clock, numbering
from petition.errors import Forged, Invalid, NotFound, PetitionError, Problem, Unreadable
from petition.petition import Evidence, Lane, LegalPath, Petition
from petition.workflow import Event, Status, events_from, may, move_of
from store import history, petitions
from store.petitions import Case
from store.transaction import Transaction

ACTOR = "routing"
_STATUS = "status-"
_WAITING = "waiting:"  # begins the name of a step that came before the step it follows: waiting:<event>@<seconds>

log = structlog.get_logger(__name__)

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]


class EventUnit(BaseModel):
    """The unit that has the case now."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Annotated[str, StringConstraints(max_length=100)] = ""
    name: Annotated[str, StringConstraints(max_length=200)] = ""


class StatusEvent(BaseModel):
    """The body of `POST /api/v1/routing/events`.

    event_id: unique for ever at the sender, the `webhook-id` header if empty; event: a name of `petition.event.Event`;
    status: the state reached, for senders that know no events; at: when it happened, aware; words: for officers;
    public_words: for the petitioner; document: a reference to the paper, never its content.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    case_no: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    event_id: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{0,200}$")] = ""
    event: Event | None = None
    status: Status | None = None
    at: AwareDatetime | None = None
    unit: EventUnit | None = None
    words: Text = ""
    public_words: Text = ""
    document: Annotated[str, StringConstraints(max_length=500)] = ""
    legal_path: LegalPath | None = None
    opinion_outcome: Literal["SUPPORT", "EXPLAIN", "NOT_SUPPORT"] | None = Field(default=None)

    @model_validator(mode="after")
    def _says_something(self) -> StatusEvent:
        if self.event is None and self.status is None:
            raise ValueError("event or status is needed")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of an event. result: `moved`, `noted` (no status of its own), `waiting` (its step comes later),
    `late` (something newer was applied before), `repeated`; status: of the case afterwards."""

    case_no: str
    result: Literal["moved", "noted", "waiting", "late", "repeated"]
    status: Status


def read_event(secret: str, headers: Mapping[str, str], body: bytes) -> StatusEvent:
    """Verify the Standard-Webhooks signature and read the body.

    Raises Forged (missing, wrong or older than five minutes), Unreadable (no JSON), Invalid with every bad field.
    """
    try:
        sealer(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # the library lets a malformed signature through as ValueError
        raise Forged() from None
    try:
        event = StatusEvent.model_validate_json(body)
    except ValidationError as problem:
        errors = problem.errors(include_url=False, include_input=False)
        if any(error["type"] == "json_invalid" for error in errors):
            raise Unreadable() from None
        raise Invalid(
            tuple(Problem(".".join(map(str, error["loc"])), error["type"], error["msg"]) for error in errors)
        ) from None
    if event.event_id:
        return event
    named = next(value for name, value in headers.items() if name.lower() == "webhook-id")
    return event.model_copy(update={"event_id": named[:200]})


def apply(tx: Transaction, event: StatusEvent, routing: Routing) -> Applied:
    """Write the event into the case: once by its id, moves only as the workflow allows, everything else as history.

    Raises NotFound for an unknown case. Two processes with the same id at once: the second gets sqlalchemy's
    IntegrityError and finds it `repeated` when it tries again.
    """
    case = _case(tx, event.case_no)
    event_id = f"{ACTOR}:{event.event_id}"
    if history.has_event(tx, event_id):
        return Applied(case_no=case.case_no, result="repeated", status=case.status)
    at = min(clock.aware(event.at), tx.now) if event.at is not None else tx.now
    meant = event.event or _event_to(case.status, event.status)
    if meant is None and event.status is case.status:
        _note(tx, case, event, "status_confirmed", "转办系统确认现状态", event_id)
        return Applied(case_no=case.case_no, result="noted", status=case.status)
    newest = _moved_at(case.petition)
    name = meant.value if meant is not None else f"{_STATUS}{event.status}"
    if newest is not None and at < newest:
        _note(tx, case, event, f"late:{name}", "迟到的状态回传,只作记录", event_id)
        return Applied(case_no=case.case_no, result="late", status=case.status)
    after = may(case.status, meant) if meant is not None else None
    if meant is None or after is None:
        waiting = f"{_WAITING}{name}@{int(at.timestamp())}"
        _note(tx, case, event, waiting, "状态回传与现状态不衔接,等待前一步", event_id)
        return Applied(case_no=case.case_no, result="waiting", status=case.status)
    before = case.status
    case = _catch_up(tx, _move(tx, case, meant, after, at, event, routing, event_id), at, routing)
    return Applied(case_no=case.case_no, result="noted" if case.status is before else "moved", status=case.status)


def _case(tx: Transaction, text: str) -> Case:
    try:
        case_no = str(numbering.parse_case_no(text))
    except PetitionError:
        raise NotFound() from None
    return petitions.get(tx, case_no)


def _event_to(status: Status, wanted: Status | None) -> Event | None:
    """The event that leads from one state to the other in one step, if there is one."""
    return next((event for event in events_from(status) if may(status, event) is wanted and wanted is not status), None)


def _moved_at(petition: Petition) -> datetime | None:
    """When the newest status event that was applied happened; the evidence of the status tells."""
    proof = petition.evidence.get("status")
    return datetime.fromisoformat(proof.source) if proof is not None and proof.stage == ACTOR else None


def _note(tx: Transaction, case: Case, event: StatusEvent, name: str, why: str, event_id: str) -> None:
    """A step that only officers see and that moves nothing."""
    history.append(
        tx,
        case.case_no,
        event=name,
        status=case.status,
        actor=ACTOR,
        unit=case.unit,
        words=";".join(part for part in (why, event.words, event.public_words) if part),
        document=event.document,
        public=False,
        event_id=event_id,
    )


def _move(
    tx: Transaction,
    case: Case,
    meant: Event,
    after: Status,
    at: datetime,
    event: StatusEvent,
    routing: Routing,
    event_id: str | None,
) -> Case:
    move = move_of(case.status, meant)
    record = case.petition
    unit, words = _unit(case, event, routing)
    # 检举控告: the petitioner's page says 已转有权机关 and nothing of what follows (Regulation art. 30).
    shown = move.words if move is not None and case.lane is not Lane.SEALED else ""
    told = ";".join(part for part in (shown, event.public_words) if part) if shown else ""
    changed = petitions.amend(
        tx,
        case,
        actor=ACTOR,
        event=meant.value,
        petition=replace(
            record,
            legal_path=event.legal_path or record.legal_path,
            opinion_outcome=event.opinion_outcome or record.opinion_outcome,
            evidence={**record.evidence, "status": Evidence(stage=ACTOR, source=at.isoformat(), confidence=1.0)},
        ),
        status=after,
        unit=unit,
        words=";".join(part for part in (event.words, *words) if part),
        document="" if told else event.document,
        public=False,
        event_id=event_id,
    )
    if told:
        history.append(
            tx,
            case.case_no,
            event=meant.value,
            status=after,
            actor=ACTOR,
            unit=changed.unit,
            words=told,
            document=event.document,
        )
    return changed


def _unit(case: Case, event: StatusEvent, routing: Routing) -> tuple[str | None, list[str]]:
    """The unit to write down, None if it stays, and what officers should know about it."""
    code = event.unit.code if event.unit is not None else ""
    if not code or code == case.unit:
        return None, []
    name = event.unit.name if event.unit is not None and event.unit.name else code
    if routing.unit(code) is None:
        return None, [f"转办系统的承办单位:{name}"]
    if reason := routing.conflict(case.petition, code):
        # Our desk would show the case to whoever it is about.
        log.error("routing system names a barred unit", case_no=case.case_no, unit=code)
        return None, [f"转办系统交给了{name},注意:依照条例第30条{reason}"]
    return code, [f"转办系统改由{name}承办"]


def _catch_up(tx: Transaction, case: Case, at: datetime, routing: Routing) -> Case:
    """Apply what had come too early, in the order in which it happened, as far as the workflow now allows."""
    while True:
        for when, meant, document in _waiting(tx, case, at):
            after = may(case.status, meant)
            if after is not None:
                words = "先到的状态回传,现予衔接"
                early = StatusEvent(case_no=case.case_no, event=meant, document=document, words=words)
                case = _move(tx, case, meant, after, when, early, routing, None)
                break
        else:
            return case


def _waiting(tx: Transaction, case: Case, at: datetime) -> list[tuple[datetime, Event, str]]:
    """Steps noted as waiting and not taken since: when each happened, its event, its document; the earliest first."""
    steps = history.of(tx, case.case_no)
    found: list[tuple[datetime, Event, str]] = []
    for step in steps:
        if not step.event.startswith(_WAITING):
            continue
        name, _, seconds = step.event.removeprefix(_WAITING).rpartition("@")
        when = datetime.fromtimestamp(int(seconds), clock.SHANGHAI)
        later = [other for other in steps if other.id > step.id and other.actor == ACTOR]
        if name.startswith(_STATUS):
            wanted = Status(name.removeprefix(_STATUS))
            taken = any(other.status is wanted for other in later)
            meant = _event_to(case.status, wanted)
        else:
            taken = any(other.event == name for other in later)
            meant = Event(name)
        if meant is not None and not taken and when >= at.replace(microsecond=0):
            found.append((when, meant, step.document))
    return sorted(found, key=lambda waiting: waiting[0])
