"""The relay: refills at once, never overfills, survives a broken broker, and drains when it stops."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from dispatch.relay import Relay
from dispatch.tasks import DELIVER, Task
from petition.clock import now
from store import outbox
from store.database import Store
from store.outbox import Order, OrderState
from store.transaction import Transaction

SMALL = replace(DELIVER, in_flight=4, lease=timedelta(seconds=5))


def add(store: Store, count: int, kind: str = "dispatch") -> list[int]:
    """Open orders without a case: the relay reads none."""

    def work(tx: Transaction) -> list[int]:
        return [outbox.add(tx, kind, f"case-{n}") for n in range(count)]

    return store.write_now(work)


def close(store: Store, order_id: int) -> None:
    def work(tx: Transaction) -> None:
        order = outbox.find(tx, order_id)
        assert order is not None
        outbox.delivered(tx, order)

    store.write_now(work)


def until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.005)


@dataclass
class Broker:
    """Takes hints and remembers them; fails while `down`."""

    hints: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    sent: list[int] = field(default_factory=list)
    down: bool = False

    def __call__(self, order: Order) -> None:
        if self.down:
            raise ConnectionError("no broker")
        self.sent.append(order.id)
        self.hints.put(order.id)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def make(store: Store, broker: Broker) -> Iterator[Callable[..., Relay]]:
    made: list[Relay] = []

    def build(task: Task = SMALL, *, poll: float = 0.2, watched: bool = False) -> Relay:
        relay = Relay(store, task, broker, poll=poll, watched=watched)
        made.append(relay)
        relay.start()
        return relay

    yield build
    for relay in made:
        relay.stop(0.05)


def test_never_more_than_the_limit_are_under_way(store: Store, broker: Broker, make: Callable[..., Relay]) -> None:
    add(store, 10)
    relay = make()
    until(lambda: len(broker.sent) == 4)
    time.sleep(0.3)
    assert len(broker.sent) == 4
    assert relay.under_way == 4


def test_a_free_place_is_filled_although_another_hangs(
    store: Store, broker: Broker, make: Callable[..., Relay]
) -> None:
    ids = add(store, 40)
    relay = make()
    stuck = broker.hints.get(timeout=5)
    began = time.monotonic()
    for _ in range(39):
        order_id = broker.hints.get(timeout=5)
        close(store, order_id)
        relay.done(order_id)
    assert time.monotonic() - began < 3.0, "one slow answer must not hold up the others"
    assert sorted(broker.sent) == ids
    assert relay.under_way == 1
    assert broker.sent.count(stuck) == 1


def test_wake_beats_the_poll(store: Store, broker: Broker, make: Callable[..., Relay]) -> None:
    relay = make(poll=30.0)
    time.sleep(0.1)
    add(store, 1)
    began = time.monotonic()
    relay.wake()
    broker.hints.get(timeout=5)
    assert time.monotonic() - began < 1.0


def test_what_falls_due_by_itself_is_found_by_polling(store: Store, broker: Broker, make: Callable[..., Relay]) -> None:
    make(poll=0.1)
    store.write_now(lambda tx: outbox.add(tx, "dispatch", "case", due=tx.now + timedelta(seconds=0.3)))
    began = time.monotonic()
    broker.hints.get(timeout=5)
    assert 0.1 < time.monotonic() - began < 1.0


def test_an_order_whose_worker_died_is_swept_when_its_lease_ends(
    store: Store, broker: Broker, make: Callable[..., Relay]
) -> None:
    add(store, 1)
    make(replace(SMALL, lease=timedelta(seconds=0.4), in_flight=1), poll=0.1)  # so its place must be freed too
    first, second = broker.hints.get(timeout=5), broker.hints.get(timeout=5)
    assert first == second


def test_only_orders_of_its_task_are_taken(store: Store, broker: Broker, make: Callable[..., Relay]) -> None:
    add(store, 2, "read")
    [mine] = add(store, 1)
    make(poll=0.05)
    until(lambda: bool(broker.sent))
    time.sleep(0.2)
    assert broker.sent == [mine]


def test_without_a_broker_orders_are_given_back_and_go_out_later(
    store: Store, broker: Broker, make: Callable[..., Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatch.relay.BROKER_PAUSE", timedelta(seconds=0.2))
    broker.down = True
    ids = add(store, 3)
    relay = make(poll=0.05)
    time.sleep(0.3)
    assert relay.under_way == 0
    assert relay.alive
    broker.down = False
    until(lambda: sorted(broker.sent) == ids)


def test_in_watched_mode_the_outbox_itself_tells_who_is_done(
    store: Store, broker: Broker, make: Callable[..., Relay]
) -> None:
    ids = add(store, 12)
    relay = make(poll=0.5, watched=True)
    for turn in range(12):
        order_id = broker.hints.get(timeout=5)
        if turn % 2:
            close(store, order_id)
        else:
            put_off(store, order_id)
    assert sorted(broker.sent) == ids
    until(lambda: relay.under_way == 0)


def put_off(store: Store, order_id: int) -> None:
    def work(tx: Transaction) -> None:
        order = outbox.find(tx, order_id)
        assert order is not None
        outbox.again(tx, order, tx.now + timedelta(minutes=5), "later")

    store.write_now(work)


@pytest.mark.parametrize("watched", [False, True])
def test_stop_waits_for_what_is_under_way(
    watched: bool, store: Store, broker: Broker, make: Callable[..., Relay]
) -> None:
    add(store, 10)
    relay = make(watched=watched)
    until(lambda: len(broker.sent) == 4)

    def finish() -> None:
        for order_id in list(broker.sent):
            time.sleep(0.05)
            close(store, order_id)
            if not watched:
                relay.done(order_id)

    worker = threading.Thread(target=finish)
    worker.start()
    assert relay.stop(5.0)
    worker.join()
    assert len(broker.sent) == 4, "nothing new is claimed while it stops"
    assert not relay.alive


def test_stop_does_not_wait_for_ever(store: Store, broker: Broker, make: Callable[..., Relay]) -> None:
    add(store, 1)
    relay = make()
    until(lambda: relay.under_way == 1)
    began = time.monotonic()
    assert not relay.stop(0.3)
    assert time.monotonic() - began < 1.0


def test_it_can_be_started_again(store: Store, broker: Broker, make: Callable[..., Relay]) -> None:
    relay = make()
    assert relay.stop(1.0)
    [order_id] = add(store, 1)
    relay.start()
    assert broker.hints.get(timeout=5) == order_id


def test_a_store_that_does_not_answer_does_not_end_the_relay(
    store: Store, broker: Broker, make: Callable[..., Relay], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[Order]:
        raise RuntimeError("no disk")

    with monkeypatch.context() as patched:
        patched.setattr("store.outbox.claim", broken)
        relay = make(poll=0.05)
        time.sleep(0.2)
        assert relay.alive
    [order_id] = add(store, 1)
    assert broker.hints.get(timeout=5) == order_id


def test_the_claim_leaves_the_order_leased(store: Store, broker: Broker, make: Callable[..., Relay]) -> None:
    [order_id] = add(store, 1)
    make()
    broker.hints.get(timeout=5)
    order = store.read_now(lambda tx: outbox.find(tx, order_id))
    assert order is not None
    assert (order.state, order.attempts) == (OrderState.OPEN, 1)
    assert timedelta(seconds=3) < order.due - now() <= timedelta(seconds=5)
