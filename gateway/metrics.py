"""Metrics (指标): what an operator must see at a glance; no label names a person or a case."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from normalizer.governor import Governor
from petition.arrival import Outcome
from petition.clock import Clock
from petition.petition import Lane
from store import outbox, petitions
from store.database import Store
from store.tables import ledger_heads
from store.transaction import Transaction

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Metrics:
    """The registry of one process. A store may be watched, so that its figures are read at the moment of asking."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "gateway_requests_total",
            "Answers by route and status",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "gateway_request_seconds",
            "Time to the answer",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.refusals = Counter(
            "gateway_refusals_total",
            "Inputs refused, entered in the ledger or not",
            ("channel",),
            registry=self.registry,
        )

        self.caught_up = Counter(
            "gateway_caught_up_total",
            "Events taken in from a provider's list because no webhook brought them",
            ("channel", "kind"),
            registry=self.registry,
        )
        self.rounds = Counter(
            "gateway_rounds_total",
            "Rounds over a provider's lists, whole or failed",
            ("channel", "end"),
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        known = self._children.get((method, route, status))
        if known is None:
            known = self._requests.labels(method, route, str(status)), self._seconds.labels(method, route)
            self._children[method, route, status] = known  # as many as there are routes and statuses
        known[0].inc()
        known[1].observe(seconds)

    def watch(self, store: Store, clock: Clock, governor: Governor) -> None:
        """Add the store's figures and the governor's."""
        self.registry.register(_StoreCollector(store, clock, governor))

    def text(self) -> bytes:
        """The exposition; reads the store, so call it in a thread."""
        return generate_latest(self.registry)


class _StoreCollector(Collector):
    def __init__(self, store: Store, clock: Clock, governor: Governor) -> None:
        self._governor = governor
        self._store = store
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        writer, governor = self._store.writer, self._governor
        yield CounterMetricFamily("gateway_read_in_line", "Texts read in line", value=governor.texts)
        yield CounterMetricFamily(
            "gateway_read_in_line_seconds", "Processor seconds of reading in line", value=governor.seconds
        )
        yield _gauge("gateway_writer_queue_depth", "Works that wait for their commit", writer.depth)
        yield _gauge("gateway_oldest_unacknowledged_seconds", "Age of the oldest unanswered input", writer.oldest_wait)
        figures = self._store.read_now(_figures)
        yield _gauge("gateway_held", "Arrivals that wait for a person", figures.held)
        age = (self._clock() - figures.oldest).total_seconds() if figures.oldest else 0.0
        yield _gauge("gateway_outbox_oldest_seconds", "Age of the oldest order that has not left", age)
        orders = GaugeMetricFamily("gateway_outbox_orders", "Orders by kind and state", labels=("kind", "state"))
        for (kind, state), number in figures.orders.items():
            orders.add_metric((kind, state), number)
        yield orders
        received = GaugeMetricFamily("gateway_received", "Inbound events in the ledger", labels=("channel",))
        for channel, number in figures.received.items():
            received.add_metric((channel,), number)
        yield received


class _Figures:
    def __init__(
        self, held: int, oldest: datetime | None, orders: dict[tuple[str, str], int], received: dict[str, int]
    ) -> None:
        self.held = held
        self.oldest = oldest
        self.orders = orders
        self.received = received


def _figures(tx: Transaction) -> _Figures:
    heads = select(ledger_heads.c.channel, func.sum(ledger_heads.c.counter)).where(ledger_heads.c.channel != "")
    return _Figures(
        held=petitions.count(tx, standing=Outcome.HELD, lanes=tuple(Lane)),
        oldest=outbox.oldest_open(tx),
        orders=outbox.counts(tx),
        received={channel: int(number) for channel, number in tx.connection.execute(heads.group_by("channel"))},
    )


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)
