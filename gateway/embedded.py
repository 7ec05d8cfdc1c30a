"""The embedded worker (内置任务线程): Celery's WorkController in a daemon thread of this process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from celery import Celery
from celery.concurrency.thread import TaskPool
from celery.worker import WorkController

CONCURRENCY = 16  # threads; they wait for the routing system most of the time
START = 10.0  # seconds the worker may take to begin to consume

log = structlog.get_logger(__name__)


class EmbeddedWorker:
    """A worker of this process: no signal handlers, no gossip, mingle or heartbeat; may be stopped and restarted."""

    def __init__(self, app: Celery, *, concurrency: int = CONCURRENCY) -> None:
        self._app = app
        self._concurrency = concurrency
        self._controller: WorkController | None = None
        self._thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start and wait until tasks are taken; RuntimeError if that does not happen in time."""
        ready = threading.Event()
        self._controller = _controller(self._app, self._concurrency, ready.set)
        self._thread = threading.Thread(target=self._controller.start, name="embedded-worker", daemon=True)
        self._thread.start()
        if not ready.wait(START):
            raise RuntimeError("the embedded worker does not take tasks")

    def stop(self, timeout: float = 8.0) -> bool:
        """Finish the tasks that run, drop the hints that wait; False if some task did not end in time."""
        controller, thread = self._controller, self._thread
        if controller is None or thread is None:
            return True
        # In a thread of its own: a task that hangs must not hang the stop of the house.
        closing = threading.Thread(target=controller.stop, name="embedded-worker-stop", daemon=True)
        closing.start()
        closing.join(timeout)
        ended = not closing.is_alive()
        # Its loop looks up every two seconds and then ends; it consumes nothing any more, so nobody waits for that.
        thread.join(0.05)
        if not ended:
            log.warning("a task did not end in time; its order is tried again when its lease is over")
        self._controller = self._thread = None
        return ended


class _Threads(TaskPool):  # type: ignore[misc]
    """Celery's thread pool, whose threads know our app: else they look for the task in Celery's default app."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.executor: ThreadPoolExecutor = ThreadPoolExecutor(
            self.limit, "embedded-task", initializer=self.app.set_current
        )


def _controller(app: Celery, concurrency: int, ready: Callable[[], None]) -> WorkController:
    class Controller(WorkController):  # type: ignore[misc]
        """Says when it is ready."""

        def on_consumer_ready(self, consumer: object) -> None:
            ready()

    return Controller(
        app=app,
        hostname="gateway@embedded",
        pool_cls=_Threads,
        concurrency=concurrency,
        loglevel="WARNING",
        use_eventloop=False,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
