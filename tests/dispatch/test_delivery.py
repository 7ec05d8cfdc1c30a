"""Delivery: each order ends delivered, waiting or held, and the record says where the petition went and why."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from config.units import Unit
from dispatch.courier import Again, Delivered, Held, Outcome
from dispatch.couriers.desk import Desk
from dispatch.delivery import Delivery
from dispatch.routing import Routing
from petition.arrival import Outcome as Standing
from petition.clock import now
from petition.people import Accused
from petition.petition import DispatchType, Lane, Petition
from petition.workflow import Event, Status
from store import history, outbox, petitions
from store.database import Store
from store.history import Step
from store.outbox import Order, OrderState
from store.petitions import Case
from tests.dispatch.cases import PLAIN, SAMPLES, Sample, enter


@dataclass
class Remembering:
    """A courier that answers as told and remembers what it was given."""

    answers: list[Outcome | Exception] = field(default_factory=list)
    given: list[tuple[str, Petition, str]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def deliver(self, order: Order, petition: Petition, unit: Unit) -> Outcome:
        self.given.append((order.key, petition, unit.code))
        self.meanwhile()
        answer = self.answers.pop(0) if self.answers else Delivered(detail="ok", unit_code=unit.code)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        pass


@pytest.fixture
def courier() -> Remembering:
    return Remembering()


@pytest.fixture
def delivery(store: Store, routing: Routing, courier: Remembering) -> Delivery:
    return Delivery(store, routing, courier, chance=lambda: 1.0)


def claim(store: Store) -> Order:
    """The one due order, claimed as the relay does."""
    orders = store.write_now(lambda tx: outbox.claim(tx, ("dispatch",), timedelta(seconds=15), 1))
    assert len(orders) == 1
    return orders[0]


def order_of(store: Store, case_no: str) -> Order:
    return store.read_now(lambda tx: outbox.of(tx, case_no)[-1])


def case_of(store: Store, case_no: str) -> Case:
    return store.read_now(lambda tx: petitions.get(tx, case_no))


def steps_of(store: Store, case_no: str) -> list[Step]:
    return store.read_now(lambda tx: history.of(tx, case_no))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample.n))
def test_each_sample_arrives_on_the_right_desk(sample: Sample, store: Store, routing: Routing) -> None:
    sealed = sample.n == 8
    case_no = enter(store, sample.petition, lane=Lane.SEALED if sealed else Lane.NORMAL)
    Delivery(store, routing, Desk())(claim(store).id)
    case, order, steps = case_of(store, case_no), order_of(store, case_no), steps_of(store, case_no)
    assert order.state is OrderState.DELIVERED
    assert (case.unit, case.status) == (sample.unit, sample.status)
    assert case.petition.lead_unit == sample.unit
    assert set(case.petition.co_units) == sample.co
    assert case.petition.dispatch_type is not None
    assert [(hop.unit, hop.rule) for hop in case.petition.path] == [(sample.unit, case.petition.path[0].rule)]
    public = [step for step in steps if step.public and step.actor == "dispatch"]
    assert len(public) == 1
    assert (public[0].unit == "") is sealed
    assert ("安定区" not in public[0].words) if sealed else public[0].words
    assert any("规则" in step.words and not step.public for step in steps), "officers see the rule"


def test_what_goes_to_the_discipline_organ_is_sealed_even_if_it_came_in_open(store: Store, delivery: Delivery) -> None:
    case_no = enter(store, next(sample for sample in SAMPLES if sample.n == 8).petition)
    delivery(claim(store).id)
    assert case_of(store, case_no).lane is Lane.SEALED


def test_the_courier_gets_the_record_as_it_will_be(store: Store, delivery: Delivery, courier: Remembering) -> None:
    case_no = enter(store)
    order = claim(store)
    delivery(order.id)
    [(key, record, unit)] = courier.given
    assert (key, unit) == (order.key, "620102-housing")
    assert (record.case_no, record.lead_unit, record.dispatch_type) == (case_no, unit, DispatchType.FORWARD)
    assert record.path[-1].rule == "HOUSING"


def test_an_order_is_delivered_once_however_often_it_is_asked(
    store: Store, delivery: Delivery, courier: Remembering
) -> None:
    case_no = enter(store)
    order = claim(store)
    for _ in range(3):
        delivery(order.id)
    assert len(courier.given) == 1
    assert len(case_of(store, case_no).petition.path) == 1


def test_an_unknown_order_is_nothing(delivery: Delivery, courier: Remembering) -> None:
    delivery(999)
    assert courier.given == []


def test_failure_leaves_the_order_open_and_due_later(store: Store, delivery: Delivery, courier: Remembering) -> None:
    courier.answers = [Again(problem="转办系统答复 HTTP 500")]
    case_no = enter(store)
    began = now()
    delivery(claim(store).id)
    order = order_of(store, case_no)
    assert (order.state, order.problem) == (OrderState.OPEN, "转办系统答复 HTTP 500")
    assert timedelta(seconds=0.9) < order.due - began < timedelta(seconds=5), "sooner than the lease, with a pause"
    assert case_of(store, case_no).status is Status.REGISTERED


def test_retry_after_is_honoured(store: Store, delivery: Delivery, courier: Remembering) -> None:
    courier.answers = [Again(problem="busy", after=timedelta(seconds=90))]
    case_no = enter(store)
    began = now()
    delivery(claim(store).id)
    assert order_of(store, case_no).due - began >= timedelta(seconds=90)


def test_it_is_never_given_up_and_officers_are_told_once(store: Store, routing: Routing, courier: Remembering) -> None:
    delivery = Delivery(store, routing, courier, chance=lambda: 0.0, alarm_after=3)
    courier.answers = [Again(problem="no answer") for _ in range(6)]
    case_no = enter(store)
    for _ in range(6):
        delivery(claim(store).id)
    order = order_of(store, case_no)
    assert order.state is OrderState.OPEN
    assert order.problem == "已试 6 次未送达：no answer"
    assert [step.event for step in steps_of(store, case_no)].count("dispatch_alarm") == 1
    delivery(claim(store).id)
    assert order_of(store, case_no).state is OrderState.DELIVERED


def test_refused_by_the_other_side_waits_for_a_person_with_the_reason(
    store: Store, delivery: Delivery, courier: Remembering
) -> None:
    courier.answers = [Held(reason="转办系统拒收(HTTP 422)")]
    case_no = enter(store)
    delivery(claim(store).id)
    order = order_of(store, case_no)
    assert (order.state, order.problem) == (OrderState.HELD, "转办系统拒收(HTTP 422)")
    step = steps_of(store, case_no)[-1]
    assert (step.event, step.public) == ("dispatch_held", False)
    store.write_now(lambda tx: outbox.release(tx, order.id))
    delivery(claim(store).id)
    assert order_of(store, case_no).state is OrderState.DELIVERED
    assert len({key for key, _, _ in courier.given}) == 1, "the key stays the same"


def test_where_all_are_barred_nothing_leaves_the_house(store: Store, delivery: Delivery, courier: Remembering) -> None:
    case_no = enter(store, replace(PLAIN, accused=(Accused(unit="甘肃省人民政府"),)))
    delivery(claim(store).id)
    assert courier.given == []
    assert order_of(store, case_no).state is OrderState.HELD
    assert "第30条" in order_of(store, case_no).problem


def test_a_courier_with_a_bug_loses_nothing(store: Store, delivery: Delivery, courier: Remembering) -> None:
    courier.answers = [RuntimeError("bug")]
    case_no = enter(store)
    delivery(claim(store).id)
    assert order_of(store, case_no).state is OrderState.OPEN
    assert "RuntimeError" in order_of(store, case_no).problem


def test_a_held_arrival_is_not_sent(store: Store, delivery: Delivery, courier: Remembering) -> None:
    case_no = enter(store, outcome=Standing.HELD)
    delivery(claim(store).id)
    assert courier.given == []
    assert order_of(store, case_no).state is OrderState.HELD


def test_an_officers_choice_is_followed(store: Store, delivery: Delivery) -> None:
    case_no = enter(store, payload={"unit": "620102-market", "co_units": ["620102-housing"], "dispatch_type": "ASSIGN"})
    delivery(claim(store).id)
    case = case_of(store, case_no)
    assert (case.unit, case.petition.co_units, case.status) == ("620102-market", ("620102-housing",), Status.ASSIGNED)
    assert case.petition.path[-1].rule == "OFFICER"


def test_no_choice_of_an_officer_reaches_the_accused(store: Store, delivery: Delivery, courier: Remembering) -> None:
    petition = replace(PLAIN, accused=(Accused(unit="城关区住建局"),))
    case_no = enter(store, petition, payload={"unit": "620102-housing"})
    delivery(claim(store).id)
    assert courier.given == []
    assert order_of(store, case_no).state is OrderState.HELD


def test_a_supplement_follows_the_case_to_its_unit(store: Store, delivery: Delivery, courier: Remembering) -> None:
    case_no = enter(store, payload={"unit": "620102-market"})
    delivery(claim(store).id)
    store.write_now(lambda tx: outbox.add(tx, "dispatch", case_no, payload={"because": "supplement"}))
    delivery(claim(store).id)
    assert [unit for _, _, unit in courier.given] == ["620102-market", "620102-market"]
    case = case_of(store, case_no)
    assert (case.status, case.petition.path[-1].rule) == (Status.FORWARDED, "SUPPLEMENT")
    assert "补充材料" in [step.words for step in steps_of(store, case_no) if step.public][-1]


def test_the_routing_systems_own_unit_is_mirrored(store: Store, delivery: Delivery, courier: Remembering) -> None:
    courier.answers = [Delivered(detail="R-1", unit_code="620100-housing", unit_name="兰州市住房和城乡建设局")]
    case_no = enter(store)
    delivery(claim(store).id)
    assert case_of(store, case_no).unit == "620100-housing"


def test_a_barred_unit_is_never_written_down_as_the_handler(
    store: Store, delivery: Delivery, courier: Remembering
) -> None:
    courier.answers = [Delivered(detail="R-1", unit_code="620102-housing")]
    case_no = enter(store, replace(PLAIN, accused=(Accused(unit="城关区住建局"),)))
    delivery(claim(store).id)
    assert case_of(store, case_no).unit == "620100-housing"
    assert any("注意" in step.words for step in steps_of(store, case_no) if not step.public)


def test_what_an_officer_changed_meanwhile_is_kept(store: Store, delivery: Delivery, courier: Remembering) -> None:
    case_no = enter(store)

    def correct() -> None:
        store.write_now(
            lambda tx: petitions.amend(
                tx,
                case := petitions.get(tx, case_no),
                actor="officer",
                event="correct",
                petition=replace(case.petition, summary="已核对"),
            )
        )

    courier.meanwhile = correct
    delivery(claim(store).id)
    case = case_of(store, case_no)
    assert (case.petition.summary, case.unit) == ("已核对", "620102-housing")


def test_a_newer_decision_is_not_overwritten_by_a_late_answer(
    store: Store, delivery: Delivery, courier: Remembering
) -> None:
    case_no = enter(store)

    def decide_anew() -> None:
        store.write_now(lambda tx: outbox.withdraw(tx, case_no, "dispatch", "re-routed"))

    courier.meanwhile = decide_anew
    delivery(claim(store).id)
    assert case_of(store, case_no).unit == ""


def test_an_answer_that_comes_after_acceptance_moves_nothing_back(
    store: Store, delivery: Delivery, courier: Remembering
) -> None:
    case_no = enter(store)

    def accept() -> None:
        store.write_now(
            lambda tx: petitions.amend(
                tx, petitions.get(tx, case_no), actor="routing", event=Event.ACCEPT.value, status=Status.ACCEPTED
            )
        )

    courier.meanwhile = accept
    delivery(claim(store).id)
    case = case_of(store, case_no)
    assert (case.status, case.unit) == (Status.ACCEPTED, "620102-housing")


def test_two_workers_on_one_order_send_it_once(store: Store, delivery: Delivery, courier: Remembering) -> None:
    enter(store)
    order = claim(store)
    inside, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        inside.set()
        assert go_on.wait(5)

    courier.meanwhile = wait
    first = threading.Thread(target=delivery, args=(order.id,))
    first.start()
    assert inside.wait(5)
    delivery(order.id)
    go_on.set()
    first.join(5)
    assert len(courier.given) == 1
