"""Tasks: each name has one queue and one verb, and a message carries an id and nothing else."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from celery import Celery

from dispatch.couriers.exchange import TIMEOUT
from dispatch.tasks import BRIDGE, DELIVER, NOTIFY, READ, TASKS, TEXT, bind, configure, send
from gateway.embedded import CONCURRENCY
from store.outbox import Order, OrderState
from tests.dispatch.cases import MOMENT

ORDER = Order(
    id=41,
    kind="dispatch",
    case_no="620000W20261120000010",
    state=OrderState.OPEN,
    due=MOMENT,
    attempts=1,
    payload={"unit": "620102-housing"},
    problem="",
    created_at=MOMENT,
    done_at=None,
)


@pytest.fixture
def app() -> Celery:
    made = Celery("test", broker="memory://", set_as_current=False)
    configure(made)
    return made


def nothing(order_id: int) -> None:
    pass


def test_names_queues_and_kinds_are_named_once() -> None:
    assert len({task.name for task in TASKS}) == len({task.queue for task in TASKS}) == len(TASKS)
    kinds = [kind for task in TASKS for kind in task.kinds]
    assert sorted(kinds) == ["acknowledge", "dispatch", "hotline-status", "notice", "read", "supplement", "text"]


def test_a_worker_watches_every_queue(app: Celery) -> None:
    assert set(app.amqp.queues) == {task.queue for task in TASKS}


def test_every_task_has_a_verb_and_no_verb_is_left_over(app: Celery) -> None:
    for wrong in ({}, {DELIVER.name: nothing}, {DELIVER.name: nothing, READ.name: nothing, "other": nothing}):
        with pytest.raises(ValueError, match="verbs"):
            bind(app, wrong)
    bind(app, {task.name: nothing for task in TASKS})
    assert {task.name for task in TASKS} <= set(app.tasks)


def test_the_verb_gets_the_id(app: Celery) -> None:
    got: list[int] = []
    others = dict.fromkeys((READ.name, NOTIFY.name, TEXT.name, BRIDGE.name), nothing)
    bind(app, {DELIVER.name: got.append, **others})
    app.tasks[DELIVER.name](7)
    assert got == [7]


def test_a_message_carries_the_id_of_the_order_and_nothing_of_the_case(app: Celery) -> None:
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue(DELIVER.queue)
        queue.clear()
        send(app, DELIVER, ORDER)
        message = queue.get(timeout=2)
        message.ack()
        queue.close()
    assert message.payload[0] == [41]
    everything = json.dumps([message.payload, message.headers, message.properties], default=str)
    assert ORDER.case_no not in everything
    assert "620102" not in everything
    assert message.headers["expires"]


def test_the_lease_outlasts_a_full_house_of_slow_answers() -> None:
    turns = -(-DELIVER.in_flight // CONCURRENCY)
    assert timedelta(seconds=2 * TIMEOUT * turns) < DELIVER.lease
