"""The way out as a whole: outbox, relay, Celery, courier and a routing system that misbehaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

import gateway
from config.settings import Settings
from dispatch import tasks
from dispatch.routing import Routing
from dispatch.tasks import BRIDGE, DELIVER, NOTIFY, READ, TEXT
from gateway.embedded import EmbeddedWorker
from gateway.worker import WayOut, celery_app, external_app, patiently, way_out
from petition.errors import Unavailable
from store import outbox, petitions
from store.database import Store, open_store
from store.migrate import migrate
from store.outbox import OrderState
from store.transaction import Transaction
from tests.dispatch.cases import PLAIN, enter
from tests.fakes.router import SECRET, Router, moods, serving

ROOT = Path(gateway.__file__).parents[1]


def settings_for(folder: Path, url: str = "", broker: str = "memory://", timeout: float = 0.5) -> Settings:
    return Settings(
        data=folder,
        routing_url=url,
        routing_secret=SecretStr(SECRET if url else ""),
        routing_timeout=timeout,
        broker_url=broker,
    )


def nothing(order_id: int) -> None:
    pass


OTHERS = dict.fromkeys((READ.name, NOTIFY.name, TEXT.name, BRIDGE.name), nothing)


@contextmanager
def running(way: WayOut) -> Iterator[WayOut]:
    way.start()
    try:
        yield way
    finally:
        way.stop(4.0)


def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.01)


def states(store: Store) -> dict[str, int]:
    found: Counter[str] = Counter()
    for (_, state), number in store.read_now(outbox.counts).items():
        found[state] += number
    return dict(found)


def test_a_petition_is_on_its_desk_a_moment_after_it_was_entered(
    store: Store, routing: Routing, tmp_path: Path
) -> None:
    with running(way_out(settings_for(tmp_path), store, routing, nothing)) as way:
        assert way.alive
        case_no = enter(store)
        began = time.monotonic()
        way.wake()
        until(lambda: states(store) == {"delivered": 1})
        assert time.monotonic() - began < 1.0
        assert store.read_now(lambda tx: petitions.get(tx, case_no)).unit == "620102-housing"
    assert not way.alive


def test_every_petition_is_exactly_once_at_a_router_that_fails_hangs_and_loses_answers(
    store: Store, routing: Routing, tmp_path: Path
) -> None:
    weights = {"fail": 0.15, "hang": 0.03, "lose": 0.1, "garble": 0.05, "conflict": 0.1, "busy": 0.02}
    router = Router(moods(weights, seed=7), hang=0.6)
    with serving(router) as url:
        case_nos = [enter(store) for _ in range(30)]
        with running(way_out(settings_for(tmp_path, url, timeout=0.3), store, routing, nothing)):
            until(lambda: states(store) == {"delivered": 30}, 40)
    assert set(router.cases) == set(case_nos)
    assert set(router.cases.values()) == {1}
    assert sum(router.calls.values()) > 30, "the router did misbehave"
    assert router.forged == 0


def test_a_slow_router_does_not_hold_up_the_others(store: Store, routing: Routing, tmp_path: Path) -> None:
    router = Router(moods({"hang": 0.05}, seed=3), hang=1.0)
    with serving(router) as url:
        for _ in range(80):
            enter(store)
        with running(way_out(settings_for(tmp_path, url, timeout=0.8), store, routing, nothing)):
            began = time.monotonic()
            until(lambda: states(store).get("delivered", 0) >= 70)
            assert time.monotonic() - began < 5.0


def test_reading_is_done_here_and_wakes_the_delivery(store: Store, routing: Routing, tmp_path: Path) -> None:
    read: list[int] = []

    def reading(order_id: int) -> None:
        read.append(order_id)

        def finish(tx: Transaction) -> None:
            order = outbox.find(tx, order_id)
            assert order is not None
            outbox.delivered(tx, order)
            outbox.add(tx, "dispatch", order.case_no)

        store.write_now(finish)

    case_no = enter(store, kind="read")
    with running(way_out(settings_for(tmp_path), store, routing, reading)):
        until(lambda: states(store) == {"delivered": 2})
    assert len(read) == 1
    assert store.read_now(lambda tx: petitions.get(tx, case_no)).unit


@pytest.mark.parametrize("problem", [Unavailable(), RuntimeError("bug")], ids=["ours", "bug"])
def test_a_reading_that_stumbles_is_tried_again_soon(problem: Exception, store: Store) -> None:
    enter(store, kind="read")
    [order] = store.write_now(lambda tx: outbox.claim(tx, READ.kinds, READ.lease, 5))

    def stumble(order_id: int) -> None:
        raise problem

    patiently(store, stumble, order.id)
    again = store.read_now(lambda tx: outbox.find(tx, order.id))
    assert again is not None
    assert again.state is OrderState.OPEN
    assert again.due < order.due
    assert again.problem


def test_stop_is_clean_while_the_router_hangs(store: Store, routing: Routing, tmp_path: Path) -> None:
    with serving(Router(lambda: "hang", hang=5.0)) as url:
        way = way_out(settings_for(tmp_path, url, timeout=0.5), store, routing, nothing)
        way.start()
        for _ in range(40):
            enter(store)
        way.wake()
        until(lambda: way.under_way[DELIVER.queue] > 0)
        began = time.monotonic()
        way.stop(6.0)
        assert time.monotonic() - began < 6.0
    assert not way.alive
    assert set(states(store)) == {"open"}, "nothing is lost and nothing is said to be done"


def test_the_embedded_worker_starts_again_after_a_stop() -> None:
    app = celery_app("memory://")
    got: list[int] = []
    tasks.bind(app, {DELIVER.name: got.append, **OTHERS})
    worker = EmbeddedWorker(app, concurrency=2)
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    for turn in range(3):
        worker.start()
        assert worker.alive
        app.send_task(DELIVER.name, args=(turn,), queue=DELIVER.queue)
        until(lambda turn=turn: turn in got)  # type: ignore[misc]
        assert worker.stop(5.0)
        assert not worker.alive
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
    app.close()


def test_a_task_that_hangs_does_not_hang_the_stop() -> None:
    app = celery_app("memory://")
    inside, go_on = threading.Event(), threading.Event()

    def hang(order_id: int) -> None:
        inside.set()
        go_on.wait(20)

    tasks.bind(app, {DELIVER.name: hang, **OTHERS})
    worker = EmbeddedWorker(app, concurrency=1)
    worker.start()
    app.send_task(DELIVER.name, args=(1,), queue=DELIVER.queue)
    assert inside.wait(5)
    began = time.monotonic()
    assert not worker.stop(0.5)
    assert time.monotonic() - began < 2.0
    go_on.set()
    app.close()


def test_sqlite_is_never_opened_by_a_second_process(tmp_path: Path) -> None:
    def verbs() -> tuple[dict[tasks.Task, Callable[[int], None]], Callable[[], None]]:
        raise AssertionError("the house must not be opened")

    from celery import signals

    before = signals.worker_init.receivers[:], signals.worker_shutdown.receivers[:]
    try:
        external_app(settings_for(tmp_path, broker="redis://127.0.0.1:1/0"), verbs)
        with pytest.raises(SystemExit, match="SQLite"):
            signals.worker_init.send(sender=None)
    finally:
        signals.worker_init.receivers, signals.worker_shutdown.receivers = before


def test_nothing_is_built_when_the_module_is_imported() -> None:
    script = "import gateway.worker as w; assert 'app' not in vars(w); print('ok')"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "ok"


def test_celerys_own_command_works_off_the_outbox_of_postgresql(
    tmp_path: Path, redis_url: str, postgres_url: str, routing: Routing
) -> None:
    key = "k" * 16 + "0123456789abcdef"
    migrate(postgres_url)
    store = open_store(postgres_url, tmp_path, key.encode(), min_free=0)
    settings = settings_for(tmp_path, broker=redis_url)
    environment = os.environ | {
        "GATEWAY_DATA": str(tmp_path / "worker"),
        "GATEWAY_DATABASE_URL": postgres_url,
        "GATEWAY_BROKER_URL": redis_url,
        "GATEWAY_SECRET_KEY": key,
    }
    command = [sys.executable, "-m", "celery", "-A", "gateway.worker", "worker", "--loglevel", "WARNING"]
    case_nos = [enter(store) for _ in range(30)]
    worker = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        with running(way_out(settings, store, routing, nothing)):
            until(lambda: worker.poll() is not None or states(store) == {"delivered": 30}, 40)
        assert worker.poll() is None, worker.communicate()[0]
        assert {store.read_now(lambda tx, n=n: petitions.get(tx, n)).unit for n in case_nos} == {"620102-housing"}  # type: ignore[misc]
    finally:
        worker.terminate()
        output, _ = worker.communicate(timeout=15)
        store.close()
    assert worker.returncode == 0, output
    assert PLAIN.petitioners[0].name not in output, "no personal data in the log"
