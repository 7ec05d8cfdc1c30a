"""Orders of the 12345 platform in the store, on both databases."""

from __future__ import annotations

from petition.workflow import Status
from store import hotline_orders, outbox
from store.database import Store
from store.hotline_orders import KIND, Known
from store.outbox import OrderState


def note(store: Store, order_no: str, known: Known) -> None:
    store.write_now(lambda tx: hotline_orders.note(tx, order_no, known))


def test_the_newest_content_is_remembered(store: Store) -> None:
    for known in (Known("C", "a", 0), Known("C", "b", 2), Known("C", "a", 1)):
        note(store, "GD-1", known)
    assert store.read_now(lambda tx: hotline_orders.find(tx, "GD-1")) == Known("C", "b", 2)
    note(store, "GD-1", Known("C", "a", 3))
    assert store.read_now(lambda tx: hotline_orders.find(tx, "GD-1")) == Known("C", "a", 3)
    assert store.read_now(lambda tx: hotline_orders.find(tx, "GD-2")) is None


def test_the_platform_is_told_of_its_own_cases_only_and_of_the_newest_status(store: Store) -> None:
    note(store, "GD-2", Known("C", "a", 0))
    note(store, "GD-1", Known("C", "a", 0))
    assert store.read_now(lambda tx: hotline_orders.numbers(tx, "C")) == ("GD-1", "GD-2")
    moves = (("D", Status.FORWARDED), ("C", Status.REGISTERED), ("C", Status.FORWARDED), ("C", Status.ACCEPTED))
    for version, (case_no, after) in enumerate(moves):
        store.write_now(
            lambda tx, case_no=case_no, after=after, version=version: hotline_orders.tell(  # type: ignore[misc]
                tx, case_no, Status.REGISTERED, after, version
            )
        )
    told = store.read_now(lambda tx: outbox.of(tx, "C"))
    assert [(order.kind, order.state, order.payload["version"]) for order in told] == [
        (KIND, OrderState.WITHDRAWN, 2),
        (KIND, OrderState.OPEN, 3),
    ]
    assert store.read_now(lambda tx: outbox.of(tx, "D")) == []
