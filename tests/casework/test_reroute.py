"""A person sends a case elsewhere: never to the accused, upward only if sealed, and held orders go again."""

from __future__ import annotations

import pytest

from petition.errors import Conflict, Invalid, NotFound
from petition.petition import Lane, Purpose
from petition.workflow import Status
from store import outbox
from store.accounts import Officer
from store.database import Store
from store.outbox import OrderState
from store.petitions import Case
from tests.casework.samples import CLERK, HOUSING, Parts, get, officer, orders, put, steps

SCREENER = officer()


def reroute(
    store: Store, parts: Parts, case: Case, unit: str, who: Officer = SCREENER, reason: str = "管辖有误"
) -> Case:
    return store.write_now(lambda tx: parts.decisions.reroute(tx, who, case.case_no, case.version, unit, reason))


@pytest.mark.parametrize("status", [Status.REGISTERED, Status.FORWARDED, Status.OBJECTED])
def test_a_reroute_replaces_the_order(store: Store, parts: Parts, status: Status) -> None:
    case = put(store, status=status, unit="620102-housing")
    moved = reroute(store, parts, case, "620102-police")
    assert moved.status is (Status.REGISTERED if status is Status.OBJECTED else status)
    assert orders(store, case) == [
        ("dispatch", OrderState.WITHDRAWN, ""),
        ("dispatch", OrderState.OPEN, "620102-police"),
    ]
    assert steps(store, case)[-1] == ("reroute", "officer:yanshi", False)


@pytest.mark.parametrize(
    ("unit", "code"),
    [
        ("620102-housing", "conflict"),
        ("620102-nothing", "unit_unknown"),
        ("", "unit_unknown"),
        ("620102-labour", "unit_same"),
    ],
)
def test_a_unit_that_may_not_have_it_is_refused(store: Store, parts: Parts, unit: str, code: str) -> None:
    case = put(store, accused=(HOUSING,), unit="620102-labour")
    with pytest.raises(Invalid) as raised:
        reroute(store, parts, case, unit)
    assert [problem.code for problem in raised.value.problems] == [code]
    assert get(store, case.case_no) == case


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.CONCLUDED, Status.RECEIVED])
def test_once_accepted_only_the_unit_gives_it_back(store: Store, parts: Parts, status: Status) -> None:
    with pytest.raises(Conflict):
        reroute(store, parts, put(store, status=status), "620102-police")


def test_in_the_sealed_lane_only_upward(store: Store, parts: Parts) -> None:
    clerk = officer(**CLERK)
    case = put(store, lane=Lane.SEALED, purpose=Purpose.ACCUSATION, unit="620100-discipline", orders=())
    with pytest.raises(Invalid) as raised:
        reroute(store, parts, case, "620102-discipline", clerk)
    assert raised.value.problems[0].code == "sealed_downward"
    reroute(store, parts, case, "620000-discipline", clerk)


def test_a_held_order_goes_again_and_only_once(store: Store, parts: Parts) -> None:
    case, other = put(store), put(store)
    order = store.read_now(lambda tx: outbox.of(tx, case.case_no))[0]
    store.write_now(lambda tx: outbox.hold(tx, order, "对方拒收"))
    with pytest.raises(NotFound):
        store.write_now(lambda tx: parts.decisions.retry(tx, SCREENER, other.case_no, order.id))
    store.write_now(lambda tx: parts.decisions.retry(tx, SCREENER, case.case_no, order.id))
    assert orders(store, case) == [("dispatch", OrderState.OPEN, "")]
    with pytest.raises(Conflict):
        store.write_now(lambda tx: parts.decisions.retry(tx, SCREENER, case.case_no, order.id))
