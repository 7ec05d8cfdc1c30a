"""Delivery (送达): one order from the outbox to its unit - read, decide, hand over, write down what became of it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from dispatch.courier import Again, Courier, Delivered, Held, Outcome, pause
from dispatch.routing import Choice, Decision, Routing
from petition.arrival import Outcome as Standing
from petition.errors import Conflict, PetitionError
from petition.petition import DispatchType, Hop, Lane, Petition
from petition.workflow import Event, may
from store import history, outbox, petitions
from store.database import Store
from store.outbox import Order, OrderState
from store.petitions import Case
from store.transaction import Transaction

ACTOR = "dispatch"
ALARM_AFTER = 8  # tries without success before officers are told; trying goes on for ever
_RETRIES = 5  # of our own write, when an officer changed the case in the same moment

_MOVES: Mapping[DispatchType, tuple[Event, str]] = {
    DispatchType.FORWARD: (Event.FORWARD, "已转送"),
    DispatchType.ASSIGN: (Event.ASSIGN, "已交办"),
    DispatchType.DIVERT_PL: (Event.DIVERT_POLITICAL_LEGAL, "涉法涉诉事项，已转"),
    DispatchType.DIVERT_DISCIPLINE: (Event.DIVERT_DISCIPLINE, "已转有权机关"),
    DispatchType.DIVERT_STATUTORY: (Event.DIVERT_STATUTORY, "已导入法定程序，由"),
}
SUPPLEMENT = "supplement"
_LATE = "已试"  # begins the problem of an order once officers were told
_DISCREET = "已转有权机关"  # all a sealed case may tell outside (Regulation art. 30)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The verb behind the task `deliver`. Called from worker threads; holds nothing of the store while it waits.

    chance: gives a number in [0, 1) for the jitter.
    """

    store: Store
    routing: Routing
    courier: Courier
    chance: Callable[[], float] = random.random
    alarm_after: int = ALARM_AFTER
    _running: set[int] = field(default_factory=set)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, order_id: int) -> None:
        """Try the order once. Never raises for what lies outside: the order then stays open until its lease ends."""
        with self._guard:
            # The lease may end while a try still waits for its answer; two tries at once would gain nothing.
            if order_id in self._running:
                return
            self._running.add(order_id)
        try:
            self._try(order_id)
        except PetitionError as problem:
            log.warning("order left to the sweeper", order=order_id, problem=problem.code)
        finally:
            with self._guard:
                self._running.discard(order_id)

    def _try(self, order_id: int) -> None:
        order, case = self.store.read_now(lambda tx: _load(tx, order_id))
        if order is None or order.state is not OrderState.OPEN:
            return
        decision, outcome = self._outcome(order, case)
        for left in range(_RETRIES, 0, -1):
            try:
                self.store.write_now(lambda tx: self._record(tx, order, decision, outcome))
                break
            except Conflict:
                if left == 1:
                    raise
        _tell(order, decision, outcome, alarm=isinstance(outcome, Again) and order.attempts >= self.alarm_after)

    def _outcome(self, order: Order, case: Case | None) -> tuple[Decision | None, Outcome]:
        if case is None:
            return None, Held(reason="没有这件信访事项")
        if case.standing is not Standing.PETITION:
            return None, Held(reason=case.hold_reason or "这件来件还没有成为信访事项，请先人工办理")
        try:
            decision = self.routing.decide(case.petition, choice_of(order.payload, case))
        except Exception as problem:
            # There may be a bug in us or in the data. A petition is not lost for that: it waits for a person.
            log.exception("routing failed", case_no=case.case_no)
            return None, Held(reason=f"分办规则出错({type(problem).__name__}),请人工分办")
        if isinstance(decision, Held):
            return None, decision
        record = _amended(case.petition, decision, self.store.clock())
        try:
            return decision, self.courier.deliver(order, record, decision.unit)
        except Exception as problem:
            log.exception("courier failed", case_no=case.case_no)
            return decision, Again(problem=f"送达程序出错({type(problem).__name__})")

    def _record(self, tx: Transaction, order: Order, decision: Decision | None, outcome: Outcome) -> None:
        match outcome:
            case Delivered():
                if decision is not None and outbox.delivered(tx, order, outcome.detail):
                    self._amend(tx, order, decision, outcome)
            case Again():
                problem = outcome.problem
                alarm = order.attempts >= self.alarm_after
                if alarm:
                    problem = f"{_LATE} {order.attempts} 次未送达：{problem}"
                outbox.again(tx, order, tx.now + pause(order.attempts, outcome.after, self.chance), problem)
                if alarm and not order.problem.startswith(_LATE):
                    _remark(tx, order.case_no, "dispatch_alarm", problem)
            case Held():
                outbox.hold(tx, order, outcome.reason)
                _remark(tx, order.case_no, "dispatch_held", outcome.reason)

    def _amend(self, tx: Transaction, order: Order, decision: Decision, outcome: Delivered) -> None:
        case = petitions.get(tx, order.case_no)
        unit, words = decision.unit, [f"规则 {decision.rule}:{decision.words}", outcome.detail]
        if outcome.unit_code and outcome.unit_code != unit.code:
            # The routing system is the master after dispatch; but we never write down a barred unit as the handler.
            barred = self.routing.conflict(case.petition, outcome.unit_code)
            theirs = self.routing.unit(outcome.unit_code)
            words.append(f"转办系统交给了{outcome.unit_name or outcome.unit_code}")
            if barred:
                words.append(f"注意：{barred}")
                log.error("routing system names a barred unit", case_no=case.case_no, unit=outcome.unit_code)
            elif theirs is not None:
                unit = theirs
        if outcome.due_at is not None:
            words.append(f"对方时限 {outcome.due_at:%Y-%m-%d}")
        event, verb = _MOVES.get(decision.dispatch_type, (None, "已转"))
        if order.payload.get("because") == SUPPLEMENT and case.unit:
            event, verb = None, "补充材料已转"
        status = may(case.status, event) if event is not None else None
        sealed = case.lane is Lane.SEALED or decision.dispatch_type is DispatchType.DIVERT_DISCIPLINE
        name = event.value if event is not None else "dispatch"
        petitions.amend(
            tx,
            case,
            actor=ACTOR,
            event=name,
            petition=_amended(case.petition, replace(decision, unit=unit), tx.now),
            status=status,
            unit=unit.code,
            lane=Lane.SEALED if sealed else None,
            words=";".join(word for word in words if word),
            public=False,
        )
        # What the petitioner reads is a step of its own: without rules, and without the unit if the case is sealed.
        tail = "办理" if decision.dispatch_type is DispatchType.DIVERT_STATUTORY else ""
        history.append(
            tx,
            case.case_no,
            event=name,
            status=status or case.status,
            actor=ACTOR,
            unit="" if sealed else unit.code,
            words=_DISCREET if sealed else f"{verb}{unit.name}{tail}",
        )


def choice_of(payload: Mapping[str, Any], case: Case) -> Choice | None:
    """Who decides instead of the rules, None if nobody does.

    payload: `unit`, `co_units`, `dispatch_type` of an officer, or `because: supplement` for what follows a case that is
    with its unit already.
    """
    if payload.get("because") == SUPPLEMENT and case.unit:
        record = case.petition
        return Choice(
            unit=case.unit,
            co_units=record.co_units,
            dispatch_type=record.dispatch_type,
            rule="SUPPLEMENT",
            words="补充材料送原承办单位",
        )
    unit = payload.get("unit")
    if not unit:
        return None
    kind = payload.get("dispatch_type")
    return Choice(
        unit=str(unit),
        co_units=tuple(str(code) for code in payload.get("co_units", ())),
        dispatch_type=DispatchType(kind) if kind else None,
    )


def _load(tx: Transaction, order_id: int) -> tuple[Order | None, Case | None]:
    order = outbox.find(tx, order_id)
    return order, None if order is None else petitions.find(tx, order.case_no)


def _amended(petition: Petition, decision: Decision, at: datetime) -> Petition:
    hop = Hop(at=at, unit=decision.unit.code, dispatch_type=decision.dispatch_type, rule=decision.rule)
    return replace(
        petition,
        lead_unit=decision.unit.code,
        co_units=tuple(unit.code for unit in decision.co_units),
        dispatch_type=decision.dispatch_type,
        path=(*petition.path, hop),
    )


def _remark(tx: Transaction, case_no: str, event: str, words: str) -> None:
    case = petitions.find(tx, case_no)
    if case is not None:
        history.append(tx, case_no, event=event, status=case.status, actor=ACTOR, words=words, public=False)


def _tell(order: Order, decision: Decision | None, outcome: Outcome, *, alarm: bool) -> None:
    unit = decision.unit.code if decision is not None else ""
    rule = decision.rule if decision is not None else ""
    told = log.bind(case_no=order.case_no, order=order.id, attempt=order.attempts, unit=unit, rule=rule)
    match outcome:
        case Delivered():
            told.info("petition delivered")
        case Again() if alarm:
            told.error("petition still not delivered", problem=outcome.problem, alarm=True)
        case Again():
            told.info("petition to be delivered again", problem=outcome.problem)
        case Held():
            told.warning("petition held for a person", reason=outcome.reason)
