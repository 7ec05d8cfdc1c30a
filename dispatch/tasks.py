"""Tasks (任务): the names and queues of background work, named once; the composition roots give the verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from celery import Celery

from store.outbox import Order


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of background work. kinds: of the outbox orders; name: of the Celery task; queue: where it waits;
    lease: how long one try may take before the order is due again; in_flight: how many may be under way at once."""

    kinds: tuple[str, ...]
    name: str
    queue: str
    lease: timedelta
    in_flight: int


# The lease of a delivery is a multiple of the courier's timeout of 2 s, times the turns 32 orders need on 16 threads.
DELIVER = Task(("dispatch",), "dispatch.deliver", "deliver", timedelta(seconds=15), 32)
# Few readings at once, or deliveries would wait behind them; after a crash on PostgreSQL a lease is waited out.
READ = Task(("read", "supplement"), "normalizer.read", "read", timedelta(seconds=60), 6)
# An acknowledgement by e-mail: one connection to our own relay, which may take its time.
NOTIFY = Task(("acknowledge",), "dispatch.notify", "notify", timedelta(seconds=60), 4)
# Text messages: a provider outside, two steps of five seconds each and perhaps a look at its list before.
TEXT = Task(("text", "notice"), "dispatch.text", "text", timedelta(seconds=90), 4)
# The 12345 platform learns what became of its orders: one request of two seconds each.
BRIDGE = Task(("hotline-status",), "dispatch.bridge", "bridge", timedelta(seconds=30), 4)
TASKS = (DELIVER, READ, NOTIFY, TEXT, BRIDGE)

# A hint nobody took is thrown away: the relay sends another when the lease is over, and a queue must not grow by that.
_STALE = 4


def configure(app: Celery) -> None:
    """Give the app the queues and the manners the relay relies on."""
    app.conf.update(
        task_queues={task.queue: {"exchange": task.queue, "routing_key": task.queue} for task in TASKS},
        task_routes={task.name: {"queue": task.queue} for task in TASKS},
        task_default_queue=DELIVER.queue,
        task_create_missing_queues=False,
        task_ignore_result=True,
        # The outbox decides, not the broker: a message lost or doubled costs nothing but a lease.
        task_acks_late=False,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        timezone="Asia/Shanghai",
    )


def bind(app: Celery, verbs: Mapping[str, Callable[[int], None]]) -> None:
    """Register the verbs by task name; ValueError unless every task gets exactly one."""
    names = {task.name for task in TASKS}
    if set(verbs) != names:
        raise ValueError(f"verbs for {sorted(names)} expected, got {sorted(verbs)}")
    for name, verb in verbs.items():
        app.task(name=name, shared=False, ignore_result=True)(_named(verb, name))


def send(app: Celery, task: Task, order: Order) -> None:
    """Publish the hint for one order: its id, nothing else. May block; raises kombu's OperationalError, no broker."""
    app.send_task(
        task.name, args=(order.id,), queue=task.queue, expires=_STALE * task.lease.total_seconds(), retry=False
    )


def _named(verb: Callable[[int], None], name: str) -> Callable[[int], None]:
    def run(order_id: int) -> None:
        verb(order_id)

    run.__name__ = name.rpartition(".")[2]
    return run
