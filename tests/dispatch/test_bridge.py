"""The bridge to 12345: one event for one change of status, signed, tried again or held, and nothing too much in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from dispatch.bridge import NOT_SET, TellHotline
from dispatch.courier import Again, Delivered, Held, Outcome
from dispatch.couriers.hotline import HotlineCourier
from petition.petition import Lane, Purpose
from petition.workflow import Status
from store import hotline_orders, outbox, petitions
from store.database import Store
from store.hotline_orders import KIND, Known
from store.outbox import Order, OrderState
from store.petitions import Case
from tests.casework.samples import get, put
from tests.fakes.hotline_platform import Platform, serving
from tests.servers.process import free_port
from tests.signing import SECRET


@dataclass
class Ear:
    """A platform that remembers and answers in turn."""

    outcomes: list[Outcome] = field(default_factory=list)
    heard: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def tell(self, key: str, told: Mapping[str, Any]) -> Outcome:
        self.heard.append((key, told))
        return self.outcomes.pop(0) if self.outcomes else Delivered()


def of_12345(store: Store, *numbers: str, **fields: Any) -> Case:
    """A case that came from orders of these numbers."""
    case = put(store, **fields)
    for number in numbers:
        store.write_now(lambda tx, number=number: hotline_orders.note(tx, number, Known(case.case_no, "d", 0)))  # type: ignore[misc]
    return case


def moved(store: Store, case: Case, status: Status) -> list[Order]:
    """The case with another status, and the orders that tell of it."""
    current = get(store, case.case_no)
    store.write_now(lambda tx: petitions.amend(tx, current, actor="dispatch", event="forward", status=status))
    return told(store, case)


def told(store: Store, case: Case) -> list[Order]:
    return [order for order in store.read_now(lambda tx: outbox.of(tx, case.case_no)) if order.kind == KIND]


def test_a_change_of_status_is_told_once_with_every_number(store: Store) -> None:
    case = of_12345(store, "GD-2", "GD-1")
    ear = Ear()
    [order] = moved(store, case, Status.FORWARDED)
    tell = TellHotline(store, ear)
    tell(order.id)
    tell(order.id)
    [(key, event)] = ear.heard
    assert key == order.key == event["event_id"]
    assert {**event, "at": "", "event_id": ""} == {
        "type": "hotline.status",
        "event_id": "",
        "case_no": case.case_no,
        "orders": ["GD-1", "GD-2"],
        "status": "FORWARDED",
        "status_words": "已转送有权处理的单位，等待受理",
        "version": 2,
        "at": "",
    }
    assert told(store, case)[0].state is OrderState.DELIVERED


def test_only_a_case_of_the_hotline_and_only_a_status(store: Store) -> None:
    assert moved(store, put(store), Status.FORWARDED) == []
    case = of_12345(store, "GD-1", status=Status.REGISTERED)
    assert moved(store, case, Status.REGISTERED) == []


def test_a_newer_word_takes_the_place_of_one_that_has_not_left(store: Store) -> None:
    case = of_12345(store, "GD-1")
    moved(store, case, Status.FORWARDED)
    orders = moved(store, case, Status.ACCEPTED)
    assert [order.state for order in orders] == [OrderState.WITHDRAWN, OrderState.OPEN]


@pytest.mark.parametrize(
    ("lane", "purpose"),
    [(Lane.SEALED, Purpose.APPEAL), (Lane.NORMAL, Purpose.ACCUSATION)],
    ids=["sealed", "accusation"],
)
def test_of_an_accusation_nothing_is_told(store: Store, lane: Lane, purpose: Purpose) -> None:
    case = of_12345(store, "GD-1", lane=lane, purpose=purpose)
    ear = Ear()
    [order] = moved(store, case, Status.ACCEPTED)
    TellHotline(store, ear)(order.id)
    assert (ear.heard[0][1]["status"], ear.heard[0][1]["status_words"]) == ("", "已转有权机关")


def test_again_and_held(store: Store) -> None:
    case = of_12345(store, "GD-1")
    [order] = moved(store, case, Status.FORWARDED)
    ear = Ear([Again(problem="忙", after=timedelta(minutes=3)), Held(reason="拒收")])
    tell = TellHotline(store, ear, chance=lambda: 0.5)
    tell(order.id)
    [waiting] = told(store, case)
    assert (waiting.state, waiting.problem) == (OrderState.OPEN, "忙")
    assert waiting.due - store.clock() > timedelta(minutes=2)
    tell(order.id)
    assert (told(store, case)[0].state, told(store, case)[0].problem) == (OrderState.HELD, "拒收")


def test_without_an_address_nobody_is_told_and_officers_see_why(store: Store) -> None:
    case = of_12345(store, "GD-1")
    [order] = moved(store, case, Status.FORWARDED)
    TellHotline(store, None)(order.id)
    assert (told(store, case)[0].state, told(store, case)[0].problem) == (OrderState.WITHDRAWN, NOT_SET)


def test_an_older_count_never_takes_the_place_of_a_newer_one(store: Store) -> None:
    for known in (Known("C", "a", 0), Known("C", "b", 2), Known("C", "a", 1)):
        store.write_now(lambda tx, known=known: hotline_orders.note(tx, "GD-1", known))  # type: ignore[misc]
    assert store.read_now(lambda tx: hotline_orders.find(tx, "GD-1")) == Known("C", "b", 2)
    assert store.read_now(lambda tx: hotline_orders.find(tx, "GD-2")) is None


@pytest.fixture
def platform() -> Iterator[tuple[Platform, HotlineCourier]]:
    taken = Platform()
    with serving(taken) as url:
        yield taken, HotlineCourier(url, SECRET, timeout=0.5)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, Delivered), (204, Delivered), (409, Delivered), (400, Held), (404, Held), (429, Again), (503, Again)],
)
def test_what_the_platform_answers(platform: tuple[Platform, HotlineCourier], status: int, kind: type[Outcome]) -> None:
    taken, courier = platform
    taken.answers.append(status)
    assert isinstance(courier.tell("case-7", {"case_no": "兰"}), kind)
    assert (taken.keys, taken.events, taken.forged) == (["case-7"], [{"case_no": "兰"}], 0)


def test_nobody_at_home() -> None:
    courier = HotlineCourier(f"http://127.0.0.1:{free_port()}/", SECRET, timeout=0.2)
    assert isinstance(courier.tell("case-7", {}), Again)
