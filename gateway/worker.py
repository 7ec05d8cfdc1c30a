"""The worker (后台任务): binds queues to room verbs, embedded in `serve` or by `celery -A gateway.worker worker`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from celery import Celery, signals

from config.address import read_address
from config.routes import Route
from config.settings import Settings
from config.units import Units
from dispatch import tasks
from dispatch.bridge import TellHotline
from dispatch.conflict import Guard
from dispatch.courier import Courier, pause
from dispatch.couriers.desk import Desk
from dispatch.couriers.email import MailCourier
from dispatch.couriers.exchange import Exchange
from dispatch.couriers.hotline import HotlineCourier
from dispatch.delivery import Delivery
from dispatch.notices import Acknowledge, Letterhead
from dispatch.relay import Relay
from dispatch.routing import Routing
from dispatch.tasks import BRIDGE, DELIVER, NOTIFY, READ, TASKS, TEXT, Task
from dispatch.texts import SendText
from gateway.embedded import CONCURRENCY, EmbeddedWorker
from petition.errors import PetitionError
from store import outbox
from store.database import Store

Verb = Callable[[int], None]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WayOut:
    """Everything by which orders leave the house. relays: by queue name; worker: None when workers run elsewhere;
    before: done once before the first order is claimed; text: who sends text messages, None when nobody does."""

    app: Celery
    relays: dict[str, Relay]
    worker: EmbeddedWorker | None
    courier: Courier
    before: Callable[[], None] = lambda: None
    text: SendText | None = None

    def start(self) -> None:
        """Begin to work off the outbox."""
        self.before()
        if self.worker is not None:
            self.worker.start()
        for relay in self.relays.values():
            relay.start()

    def wake(self) -> None:
        """Something new may stand in the outbox; never blocks."""
        for relay in self.relays.values():
            relay.wake()

    def stop(self, timeout: float = 8.0) -> bool:
        """Claim nothing more, wait for what is under way; False if something was left to its lease."""
        until = time.monotonic() + timeout
        for relay in self.relays.values():
            relay.halt()
        # A quarter of the time is kept for the worker's own end.
        drained = [relay.stop(max(0.0, until - timeout / 4 - time.monotonic())) for relay in self.relays.values()]
        ended = self.worker is None or self.worker.stop(max(0.5, until - time.monotonic()))
        self.courier.close()
        if self.text is not None:
            self.text.close()
        self.app.close()
        return ended and all(drained)

    @property
    def alive(self) -> bool:
        """Whether every thread that should run does."""
        return all(relay.alive for relay in self.relays.values()) and (self.worker is None or self.worker.alive)

    @property
    def under_way(self) -> dict[str, int]:
        """Orders handed over and not answered, by queue."""
        return {name: relay.under_way for name, relay in self.relays.items()}


def routing_of(settings: Settings, units: Units, routes: tuple[Route, ...]) -> Routing:
    """The routing rules of this office."""
    return Routing(units, routes, Guard(units), settings.region)


def courier_of(settings: Settings, store: Store) -> Courier:
    """The way out: the routing system if there is one, else the desk in this house."""
    if not settings.routing_url:
        return Desk()
    return Exchange(
        settings.routing_url,
        settings.routing_secret.get_secret_value(),
        store.records.petition_to_json,
        timeout=settings.routing_timeout,
    )


def acknowledge_of(settings: Settings, store: Store, office: str) -> Acknowledge:
    """Who writes acknowledgements by e-mail; without a relay the orders are held and officers see why."""
    post = MailCourier(read_address(settings.mail_relay)) if settings.mail_relay and settings.mail_sender else None
    letterhead = Letterhead(sender=settings.mail_sender, office=office, public_url=settings.public_url)
    return Acknowledge(store, post, letterhead)


def bridge_of(settings: Settings, store: Store) -> TellHotline:
    """Who tells the 12345 platform of its orders; without an address nobody is told, and officers see why."""
    secret = settings.hotline_secret.get_secret_value()
    return TellHotline(store, HotlineCourier(settings.hotline_url, secret) if settings.hotline_url else None)


def celery_app(broker_url: str) -> Celery:
    """A Celery app with our queues and no tasks; connects to nothing yet."""
    if broker_url == "memory://":
        broker_url = "memory://localhost/"  # kombu warns of a missing host at every start otherwise
    app = Celery("gateway", broker=broker_url, set_as_current=False)
    tasks.configure(app)
    app.conf.update(
        worker_pool="threads",  # one process, one writer thread
        worker_concurrency=CONCURRENCY,
        worker_enable_remote_control=False,
        broker_connection_timeout=2.0,
        broker_connection_max_retries=None,
    )
    if broker_url.startswith("memory"):
        app.conf.broker_transport_options = {"polling_interval": 0.01}
    elif broker_url.startswith("redis"):
        app.conf.broker_transport_options = {"socket_connect_timeout": 2.0, "socket_timeout": 10.0}
    return app


def way_out(
    settings: Settings,
    store: Store,
    routing: Routing,
    read: Verb,
    busy: Callable[[], bool] = lambda: False,
    office: str = "",
    text: SendText | None = None,
) -> WayOut:
    """The way out of one `serve` process. read: the normalizer's verb for `read` and `supplement` orders; office: the
    name that stands under letters; text: who sends text messages, without one their orders wait.

    With a broker in memory the worker runs in this process; with another one `celery -A gateway.worker worker` does the
    tasks and only the relays run here.
    """
    app = celery_app(settings.broker_url)
    courier = courier_of(settings, store)
    embedded = settings.broker_url.startswith("memory")
    relays = {
        task.queue: Relay(
            store, task, partial(tasks.send, app, task), watched=not embedded, busy=busy if embedded else _never
        )
        for task in TASKS
        if task is not TEXT or text is not None
    }
    if not embedded:
        return WayOut(app, relays, None, courier, text=text)
    deliver = Delivery(store, routing, courier)
    # What was read is to be delivered at once.
    reading = _answered(partial(patiently, store, read), relays[READ.queue], relays[DELIVER.queue].wake)
    notify = acknowledge_of(settings, store, office)
    bridge = bridge_of(settings, store)
    verbs = {
        DELIVER.name: _answered(deliver, relays[DELIVER.queue]),
        READ.name: reading,
        BRIDGE.name: _answered(partial(patiently, store, bridge), relays[BRIDGE.queue]),
        NOTIFY.name: _answered(partial(patiently, store, notify), relays[NOTIFY.queue]),
        TEXT.name: _never_asked if text is None else _answered(partial(patiently, store, text), relays[TEXT.queue]),
    }
    tasks.bind(app, verbs)
    return WayOut(app, relays, EmbeddedWorker(app), courier, partial(_take_back, store), text)


def _take_back(store: Store) -> None:
    """What a process that was killed had claimed need not wait for the end of its lease if we are the only one."""
    if not store.url.startswith("sqlite"):
        return
    try:
        if number := store.write_now(outbox.take_back):
            log.warning("orders taken back from a process that was killed", count=number)
    except PetitionError as problem:
        log.warning("orders are left to their leases", problem=problem.code)


def _never() -> bool:
    return False


def _never_asked(order_id: int) -> None:
    """The verb of a task whose orders nobody claims here: they stay open in the outbox."""


def patiently(store: Store, verb: Verb, order_id: int) -> None:
    """Run a verb that may raise: its order is due again after a pause, and the next one is not kept waiting."""
    try:
        verb(order_id)
    except Exception as problem:
        name = problem.code if isinstance(problem, PetitionError) else type(problem).__name__
        log.warning("task to be tried again", order=order_id, problem=name)
        if not isinstance(problem, PetitionError):
            log.exception("task stumbled", order=order_id)
        _later(store, order_id, name)


def _later(store: Store, order_id: int, problem: str) -> None:
    order = store.read_now(lambda tx: outbox.find(tx, order_id))
    if order is not None:
        wait = max(pause(order.attempts, None, random.random), timedelta(milliseconds=50))
        store.write_now(lambda tx: outbox.again(tx, order, tx.now + wait, problem))


def _answered(verb: Verb, relay: Relay, then: Callable[[], None] | None = None) -> Verb:
    """The verb, and a word to the relay when it is through: a free place is filled at once."""

    def run(order_id: int) -> None:
        try:
            verb(order_id)
        finally:
            relay.done(order_id)
            if then is not None:
                then()

    return run


def external_app(settings: Settings, verbs: Callable[[], tuple[dict[Task, Verb], Callable[[], None]]]) -> Celery:
    """The app of `celery -A gateway.worker worker`. verbs: opens the house, gives the verbs and how to close it again.

    The house is opened when a worker starts, not when the app is made: `celery inspect` and `report` need none.
    """
    app = celery_app(settings.broker_url)
    opened: dict[str, Verb] = {}
    closing: list[Callable[[], None]] = []

    def open_house(**_: object) -> None:
        if opened:
            return
        if settings.database.startswith("sqlite"):
            # SystemExit, because Celery only logs the errors of its signal's receivers and goes on.
            raise SystemExit("SQLite belongs to one process: set GATEWAY_DATABASE_URL or use `gateway serve`")
        given, close = verbs()
        opened.update({task.name: verb for task, verb in given.items()})
        closing.append(close)

    def close_house(**_: object) -> None:
        opened.clear()
        while closing:
            closing.pop()()

    tasks.bind(app, {task.name: partial(_opened, opened, task.name) for task in TASKS})
    signals.worker_init.connect(open_house, weak=False)
    signals.worker_shutdown.connect(close_house, weak=False)
    return app


def _opened(verbs: dict[str, Verb], name: str, order_id: int) -> None:
    verbs[name](order_id)


def __getattr__(name: str) -> Any:
    """`app`, made when Celery's command line asks for it and not at import."""
    if name == "app":
        from gateway.house import worker_app

        return worker_app()
    raise AttributeError(name)
