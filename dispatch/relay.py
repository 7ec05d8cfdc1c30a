"""The relay (转运): claims due orders in the writer and hands their ids to the workers, never more than can be used."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import structlog

from dispatch.tasks import Task
from petition.errors import PetitionError
from store import outbox
from store.database import Store
from store.outbox import Order, OrderState
from store.transaction import Transaction

POLL = 0.5  # seconds between looks when nobody wakes us: orders that fall due by themselves
WATCH = 0.05  # seconds between looks at orders whose worker lives in another process
TRICKLE = 1  # orders claimed at once while the door is crowded
TRICKLE_PAUSE = 1.0  # seconds between two claims then
GATHER = 0.005  # seconds a free place may wait for others
BROKER_PAUSE = timedelta(seconds=2)

log = structlog.get_logger(__name__)


class Relay:
    """One thread for one task. A free place is refilled at once: no batch waits for its slowest member.

    send: publishes the hint for an order, may block, may raise; watched: True if the workers are in other processes,
    so that nobody here says `done` and the outbox itself is asked; busy: whether the door of this process is crowded:
    then only a trickle is claimed, so that working off never slows the taking in, and never stops either.
    """

    def __init__(
        self,
        store: Store,
        task: Task,
        send: Callable[[Order], None],
        *,
        watched: bool = False,
        poll: float = POLL,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._task = task
        self._send = send
        self._watched = watched
        self._poll = poll
        self._busy = busy
        self._signal = threading.Condition()
        self._woken = False
        self._stopping = False
        self._under_way: dict[int, tuple[Order, float]] = {}
        self._thread: threading.Thread | None = None

    @property
    def under_way(self) -> int:
        """Orders handed over and not yet answered."""
        return len(self._under_way)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin to claim; a stopped relay may be started again."""
        with self._signal:
            self._stopping = False
            self._woken = True
            self._under_way.clear()
        self._thread = threading.Thread(target=self._run, name=f"relay-{self._task.queue}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There may be something due: never blocks, may be called from any thread or loop."""
        if self._woken:
            return  # the thread has not looked since the last call: at a crowded door this is nearly every call
        with self._signal:
            self._woken = True
            self._signal.notify_all()

    def done(self, order_id: int) -> None:
        """A worker of this process has finished with the order, whatever came of it."""
        with self._signal:
            if self._under_way.pop(order_id, None) is not None:
                self._signal.notify_all()

    def halt(self) -> None:
        """Claim no more; returns at once."""
        with self._signal:
            self._stopping = True
            self._signal.notify_all()

    def stop(self, timeout: float = 5.0) -> bool:
        """Claim no more and wait for what is under way; False if some was not finished in time (its lease ends)."""
        until = time.monotonic() + timeout
        self.halt()
        if self._thread is not None:
            self._thread.join(timeout)
        while (left := until - time.monotonic()) > 0:
            if self._watched:
                self._look()
            with self._signal:
                if not self._under_way:
                    break
                self._signal.wait(min(left, WATCH))
        return not self._under_way and not self.alive

    def _run(self) -> None:
        while True:
            with self._signal:
                if self._stopping:
                    return
                self._woken = False
                room = self._task.in_flight - len(self._under_way)
            crowded = self._busy()
            if crowded:
                room = min(room, TRICKLE)
            try:
                claimed = self._claim(room) if room > 0 else 0
            except Exception as problem:
                # The outbox is still the truth: whatever happened here, the next look finds it again.
                if not isinstance(problem, PetitionError):
                    log.exception("relay stumbled", queue=self._task.queue)
                claimed = 0
            if crowded:
                self._pause()
            self._rest(more=room > 0 and claimed == room)

    def _claim(self, room: int) -> int:
        orders = self._store.write_now(lambda tx: outbox.claim(tx, self._task.kinds, self._task.lease, room))
        until = time.monotonic() + self._task.lease.total_seconds()
        with self._signal:
            # Before the first is sent: an answer may come back sooner than the next line.
            self._under_way.update({order.id: (order, until) for order in orders})
        for place, order in enumerate(orders):
            try:
                self._send(order)
            except Exception as problem:
                log.error("broker does not take hints", queue=self._task.queue, problem=type(problem).__name__)
                self._give_back(orders[place:])
                return 0
        return len(orders)

    def _give_back(self, orders: list[Order]) -> None:
        with self._signal:
            for order in orders:
                self._under_way.pop(order.id, None)

        def put_back(tx: Transaction) -> None:
            for order in orders:
                outbox.again(tx, order, tx.now + BROKER_PAUSE, order.problem)

        self._store.write_now(put_back)

    def _pause(self) -> None:
        """Leave the machine to the door for a moment."""
        until = time.monotonic() + TRICKLE_PAUSE
        with self._signal:
            while not self._stopping and (left := until - time.monotonic()) > 0:
                self._signal.wait(left)

    def _rest(self, *, more: bool) -> None:
        """Wait until there is a free place and a reason to look."""
        until = time.monotonic() + self._poll
        # A claim is a commit: places that get free within a few milliseconds are filled by one.
        patience, few = time.monotonic() + GATHER, max(1, self._task.in_flight // 4)
        while True:
            with self._signal:
                if self._stopping:
                    return
                now = time.monotonic()
                # An order whose lease ended is the sweeper's: the next claim finds it.
                self._under_way = {key: value for key, value in self._under_way.items() if value[1] > now}
                free = self._task.in_flight - len(self._under_way)
                asked = free > 0 and (self._woken or more or now >= until)
                if asked and (free >= few or now >= patience):
                    return
                watching = self._watched and bool(self._under_way)
                self._signal.wait(GATHER if asked else WATCH if watching else self._poll)
            if watching:
                self._look()

    def _look(self) -> None:
        """Ask the outbox which orders are done: closed, or due at another time than the end of our lease."""
        with self._signal:
            waiting = {key: order for key, (order, _) in self._under_way.items()}
        try:
            found = self._store.read_now(lambda tx: [(key, outbox.find(tx, key)) for key in waiting])
        except PetitionError:
            return
        with self._signal:
            for key, order in found:
                if order is None or order.state is not OrderState.OPEN or order.due != waiting[key].due:
                    self._under_way.pop(key, None)
