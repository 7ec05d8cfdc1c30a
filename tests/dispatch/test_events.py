"""Status events: only signed ones, each once, in whatever order they come, and never backwards."""

from __future__ import annotations

import base64
import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from standardwebhooks import Webhook

from dispatch.events import Applied, StatusEvent, apply, read_event
from dispatch.routing import Routing
from petition.clock import now
from petition.errors import Forged, Invalid, NotFound, PetitionError, Unreadable
from petition.people import Accused
from petition.petition import Lane, LegalPath, Petition
from petition.workflow import Event, Status
from store import history, petitions
from store.database import Store
from store.petitions import Case
from tests.dispatch.cases import PLAIN, enter
from tests.fakes.router import SECRET

START = now() - timedelta(hours=10)


def signed(body: bytes, *, secret: str = SECRET, at: datetime | None = None, event_id: str = "evt-1") -> dict[str, str]:
    moment = at or datetime.now(UTC)
    return {
        "Webhook-Id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, moment, body.decode()),
    }


def body_of(**fields: Any) -> bytes:
    return json.dumps({"case_no": "620000W20261120000017", "event": "accept", **fields}).encode()


def test_a_signed_event_is_read_and_takes_the_id_of_its_message() -> None:
    body = body_of(words="已受理", document="doc-1", unit={"code": "620102-housing", "name": "住建局"})
    event = read_event(SECRET, signed(body), body)
    assert (event.event, event.event_id, event.document) == (Event.ACCEPT, "evt-1", "doc-1")


def test_an_id_in_the_body_counts_more_than_that_of_the_message() -> None:
    body = body_of(event_id="mine")
    assert read_event(SECRET, signed(body), body).event_id == "mine"


GOOD = body_of()
FORGERIES = [
    ("no headers", {}),
    ("another secret", signed(GOOD, secret="whsec_" + base64.b64encode(b"x" * 32).decode())),
    ("another body", signed(body_of(words="x"))),
    ("too old", signed(GOOD, at=datetime.now(UTC) - timedelta(minutes=6))),
    ("from the future", signed(GOOD, at=datetime.now(UTC) + timedelta(hours=1))),
    ("another id", signed(GOOD) | {"Webhook-Id": "evt-2"}),
    ("a signature without a comma", signed(GOOD) | {"webhook-signature": "v1"}),
    ("a signature that is no base64", signed(GOOD) | {"webhook-signature": "v1,!"}),
    ("a time that is none", signed(GOOD) | {"webhook-timestamp": "soon"}),
    ("a time beyond all times", signed(GOOD) | {"webhook-timestamp": "1e400"}),
]


@pytest.mark.parametrize("headers", [row[1] for row in FORGERIES], ids=[row[0] for row in FORGERIES])
def test_a_forgery_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Forged):
        read_event(SECRET, headers, GOOD)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(Forged):
        read_event(SECRET, signed(b"{}"), b"\xff\xfe")


BAD = [
    (b"not json", Unreadable, ""),
    (b"[]", Invalid, ""),
    (body_of(event="fly"), Invalid, "event"),
    (body_of(event=None), Invalid, ""),
    (body_of(surprise=1), Invalid, "surprise"),
    (body_of(at="2026-11-20T10:00:00"), Invalid, "at"),
    (body_of(case_no=""), Invalid, "case_no"),
    (body_of(unit={"code": 5}), Invalid, "unit.code"),
    (body_of(words="x" * 3000), Invalid, "words"),
    (body_of(event_id="with blank"), Invalid, "event_id"),
]


@pytest.mark.parametrize(("body", "problem", "field"), BAD)
def test_a_signed_event_that_cannot_be_read_says_what_to_mend(
    body: bytes, problem: type[PetitionError], field: str
) -> None:
    with pytest.raises(problem) as told:
        read_event(SECRET, signed(body), body)
    if isinstance(told.value, Invalid):
        assert field in [entry.field for entry in told.value.problems]


class Desk:
    """One case and the events it gets."""

    def __init__(self, store: Store, routing: Routing) -> None:
        self.store, self.routing = store, routing
        self.ids = itertools.count(1)
        self.case_no = ""

    def open(self, status: Status, petition: Petition = PLAIN, lane: Lane = Lane.NORMAL) -> None:
        self.case_no = enter(self.store, petition, status=status, lane=lane)

    def tell(self, event: str = "", *, hour: float = 1, **fields: Any) -> Applied:
        at = START + timedelta(hours=hour)
        if event:
            fields["event"] = event
        told = StatusEvent.model_validate(
            {"case_no": self.case_no, "event_id": f"e-{next(self.ids)}", "at": at, **fields}
        )
        return self.store.write_now(lambda tx: apply(tx, told, self.routing))

    @property
    def case(self) -> Case:
        return self.store.read_now(lambda tx: petitions.get(tx, self.case_no))

    @property
    def steps(self) -> list[history.Step]:
        return self.store.read_now(lambda tx: history.of(tx, self.case_no))

    @property
    def told(self) -> list[str]:
        """What the petitioner reads, since the arrival."""
        return [step.words for step in self.steps if step.public and step.actor == "routing"]


@pytest.fixture
def desk(store: Store, routing: Routing) -> Desk:
    made = Desk(store, routing)
    made.open(Status.FORWARDED)
    return made


# Events as they come, (name, hour it happened); the status in the end; how often the status moved.
STORIES = [
    ("in order", [("accept", 1), ("investigate", 2), ("sign_opinion", 3), ("deliver", 4)], Status.DELIVERED),
    ("the last first", [("deliver", 4), ("sign_opinion", 3), ("investigate", 2), ("accept", 1)], Status.DELIVERED),
    ("two exchanged", [("accept", 1), ("sign_opinion", 3), ("investigate", 2), ("deliver", 4)], Status.DELIVERED),
    ("a gap", [("accept", 1), ("sign_opinion", 3)], Status.ACCEPTED),
    ("an old one late", [("accept", 3), ("object", 1)], Status.ACCEPTED),
    ("objection and back", [("object", 1), ("agree_objection", 2), ("forward", 3)], Status.FORWARDED),
    ("the objection after its answer", [("agree_objection", 2), ("object", 1), ("forward", 3)], Status.FORWARDED),
    ("a mark that moves nothing", [("accept", 1), ("supervise", 2)], Status.ACCEPTED),
    ("twice the same", [("accept", 1), ("accept", 2)], Status.ACCEPTED),
    ("not allowed at all", [("archive", 1)], Status.FORWARDED),
]


@pytest.mark.parametrize(("events", "status"), [row[1:] for row in STORIES], ids=[row[0] for row in STORIES])
def test_stories(events: list[tuple[str, float]], status: Status, desk: Desk) -> None:
    for event, hour in events:
        desk.tell(event, hour=hour)
    assert desk.case.status is status
    names = [step.event for step in desk.steps]
    for event, _ in events:
        assert any(event in name for name in names), "every event stands in the history"


def test_the_same_event_again_changes_nothing(desk: Desk) -> None:
    first = desk.tell("accept", event_id="one")
    steps = len(desk.steps)
    again = desk.tell("accept", event_id="one")
    assert (first.result, again.result) == ("moved", "repeated")
    assert again.status is Status.ACCEPTED
    assert len(desk.steps) == steps


def test_two_processes_at_once_cannot_apply_it_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.tell("accept", event_id="one")
    with monkeypatch.context() as patched:
        patched.setattr("store.history.has_event", lambda tx, event_id: False)
        with pytest.raises(IntegrityError):
            desk.tell("supervise", event_id="one", hour=2)
    assert desk.tell("supervise", event_id="one", hour=2).result == "repeated"


@pytest.mark.parametrize("case_no", ["620000W20261120999991", "nonsense", "620000-W-20261120-00001-0"])
def test_an_unknown_case_is_not_found(case_no: str, desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.tell("accept", case_no=case_no)


def test_the_number_may_be_written_as_people_write_it(desk: Desk) -> None:
    shown = f"{desk.case_no[:6]}-{desk.case_no[6:7].lower()}-{desk.case_no[7:]}"
    assert desk.tell("accept", case_no=shown).status is Status.ACCEPTED


def test_senders_that_know_no_events_tell_the_status(desk: Desk) -> None:
    assert desk.tell(status="FORWARDED").result == "noted"
    assert desk.tell(status="ACCEPTED", hour=2).result == "moved"
    assert desk.tell(status="OPINION_ISSUED", hour=4).result == "waiting"
    assert desk.tell(status="IN_PROGRESS", hour=3).status is Status.OPINION_ISSUED


def test_an_event_without_a_time_happened_now(desk: Desk) -> None:
    assert desk.tell("accept", at=None).result == "moved"
    assert desk.tell("investigate", hour=1).result == "late"


def test_a_clock_that_runs_ahead_does_not_lock_the_case(desk: Desk) -> None:
    assert desk.tell("accept", at=now() + timedelta(days=400)).result == "moved"
    assert desk.tell("investigate", at=None).result == "moved"


def test_the_petitioner_reads_the_move_and_officers_the_words(desk: Desk) -> None:
    desk.tell("reject", words="内部意见", public_words="请向法院起诉", document="doc-9")
    public = [step for step in desk.steps if step.public and step.actor == "routing"]
    assert [step.document for step in public] == ["doc-9"]
    assert "请向法院起诉" in public[0].words
    assert "内部意见" not in public[0].words
    assert any(step.words == "内部意见" for step in desk.steps if not step.public)


def test_an_objection_is_not_shown_to_the_petitioner(desk: Desk) -> None:
    desk.tell("object", words="不属于本单位职责")
    assert desk.case.status is Status.OBJECTED
    assert desk.told == []


def test_nothing_of_a_sealed_case_is_shown(desk: Desk) -> None:
    desk.open(Status.FORWARDED, lane=Lane.SEALED)
    desk.tell("accept", public_words="某某正在调查")
    assert desk.case.status is Status.ACCEPTED
    assert desk.told == []


def test_facts_are_taken_over(desk: Desk) -> None:
    desk.tell("accept", legal_path="P6")
    desk.tell("investigate", hour=2)
    desk.tell("sign_opinion", hour=3, opinion_outcome="SUPPORT")
    assert (desk.case.petition.legal_path, desk.case.petition.opinion_outcome) == (LegalPath.P6, "SUPPORT")


def test_the_unit_of_the_routing_system_is_mirrored_if_it_is_known(desk: Desk) -> None:
    desk.tell("accept", unit={"code": "620102-market", "name": "市场监管局"})
    assert desk.case.unit == "620102-market"
    desk.tell("investigate", hour=2, unit={"code": "elsewhere", "name": "外地单位"})
    assert desk.case.unit == "620102-market"
    assert any("外地单位" in step.words for step in desk.steps)


def test_the_accused_unit_never_becomes_the_holder_in_this_house(desk: Desk) -> None:
    desk.open(Status.FORWARDED, replace(PLAIN, accused=(Accused(unit="城关区住建局"),)))
    desk.tell("accept", unit={"code": "620102-housing"})
    assert desk.case.unit != "620102-housing"
    assert desk.case.status is Status.ACCEPTED
    assert any("第30条" in step.words for step in desk.steps)


def test_an_officers_correction_survives(desk: Desk) -> None:
    case = desk.case
    desk.store.write_now(
        lambda tx: petitions.amend(
            tx, case, actor="officer", event="correct", petition=replace(case.petition, summary="已核对")
        )
    )
    desk.tell("accept")
    assert desk.case.petition.summary == "已核对"
