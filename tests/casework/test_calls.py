"""The verbs of the seats: no call is lost, who may, and what stands on the audit trail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from casework.calls import Calls
from petition.clock import SHANGHAI
from petition.errors import Conflict, Forbidden, Invalid
from store import audit, callbacks, calls
from store.callbacks import Callback, Reason
from store.database import Store
from tests.casework.conftest import SetClock
from tests.casework.samples import Parts, officer

AT = datetime(2026, 11, 20, 9, 0, tzinfo=SHANGHAI)
SEAT = officer("seat", name="zuoxi")


@pytest.fixture
def verbs(parts: Parts) -> Calls:
    return Calls(parts.permissions, parts.desk.engine)


def ring(store: Store, verbs: Calls, **more: Any) -> bool:
    values: dict[str, Any] = {
        "channel": "hotline", "call_id": "c1", "number": "+8615400000001", "line": "12345", "at": AT,
    }  # fmt: skip
    return store.write_now(lambda tx: verbs.ring(tx, **{**values, **more}))


def over(store: Store, verbs: Calls) -> None:
    store.write_now(lambda tx: verbs.over(tx, "hotline", "c1", AT))


def tasks(store: Store) -> list[Callback]:
    return store.read_now(callbacks.open_ones)


def row(store: Store) -> int:
    found = store.read_now(lambda tx: calls.find(tx, "hotline", "c1"))
    assert found is not None
    return found.id


def trail(store: Store) -> list[tuple[str, str]]:
    return [(one.action, one.reason) for one in store.read_now(audit.recent)]


def test_a_caller_is_not_put_through_to_an_empty_room(store: Store, verbs: Calls) -> None:
    assert ring(store, verbs) is False
    store.write_now(lambda tx: calls.sit(tx, "house", ["zuoxi"]))
    assert ring(store, verbs) is True


def test_a_missed_call_is_called_back_within_a_day(store: Store, verbs: Calls) -> None:
    ring(store, verbs)
    over(store, verbs)
    over(store, verbs)
    [task] = tasks(store)
    assert (task.reason, task.number, task.due) == (Reason.MISSED, "+8615400000001", AT + timedelta(hours=24))


def test_a_call_answered_elsewhere_without_an_order_is_called_back(store: Store, verbs: Calls) -> None:
    ring(store, verbs, seat="801")
    over(store, verbs)
    assert [task.reason for task in tasks(store)] == [Reason.UNWRITTEN]


def test_an_answered_call_with_its_sheet_is_not(store: Store, verbs: Calls) -> None:
    ring(store, verbs)
    sheet = store.write_now(lambda tx: verbs.take(tx, SEAT, row(store)))
    again = store.write_now(lambda tx: verbs.take(tx, SEAT, row(store)))
    assert again == sheet, "a second click opens the same sheet"
    with pytest.raises(Conflict):
        store.write_now(lambda tx: verbs.take(tx, officer("seat", name="other"), row(store)))
    over(store, verbs)
    assert tasks(store) == []
    assert sheet.fields["line"] == "12345"


def test_nobody_can_call_back_a_hidden_number(store: Store, verbs: Calls) -> None:
    ring(store, verbs, number="")
    over(store, verbs)
    assert tasks(store) == []


def test_the_sheet_of_a_call_that_opened_a_case_joins_it(store: Store, verbs: Calls) -> None:
    ring(store, verbs, case_no="620000P2026112000001X")
    sheet = store.write_now(lambda tx: verbs.take(tx, SEAT, row(store)))
    assert sheet.fields["join"] == "620000P2026112000001X"


def test_the_sweep_ends_what_nobody_ended(store: Store, verbs: Calls, clock: SetClock) -> None:
    ring(store, verbs)
    clock.move(minutes=2)
    ring(store, verbs)
    clock.move(minutes=2)
    assert store.write_now(verbs.sweep) == 0, "it was renewed"
    clock.move(minutes=2)
    assert store.write_now(verbs.sweep) == 1
    assert [task.reason for task in tasks(store)] == [Reason.MISSED]


def test_a_seat_nobody_heard_of_is_empty(store: Store, verbs: Calls, clock: SetClock) -> None:
    store.write_now(lambda tx: calls.sit(tx, "house", ["zuoxi"]))
    clock.move(seconds=16)
    assert ring(store, verbs) is False


@pytest.mark.parametrize("role", ["registrar", "screener", "unit_handler", "auditor", "admin"])
def test_only_the_seat_answers(store: Store, verbs: Calls, role: str) -> None:
    ring(store, verbs)
    with pytest.raises(Forbidden):
        store.write_now(lambda tx: verbs.take(tx, officer(role), row(store)))
    with pytest.raises(Forbidden):
        store.write_now(lambda tx: verbs.write_by_hand(tx, officer(role)))
    with pytest.raises(Forbidden):
        store.write_now(lambda tx: verbs.take_callback(tx, officer(role), 1, 1))


def test_a_callback_from_the_wish_to_its_result(store: Store, verbs: Calls) -> None:
    store.write_now(
        lambda tx: verbs.call_back(
            tx, channel="voice", call_id="v1", number="15400000001", line="12345", at=AT, wish="明早打来"
        )
    )
    [task] = tasks(store)
    store.write_now(lambda tx: verbs.take_callback(tx, SEAT, task.id, task.version))
    with pytest.raises(Invalid):
        store.write_now(lambda tx: verbs.show_callback(tx, SEAT, task.id, "", "127.0.0.1"))
    shown = store.write_now(lambda tx: verbs.show_callback(tx, SEAT, task.id, "回呼", "127.0.0.1"))
    assert shown.number == "15400000001"
    with pytest.raises(Conflict):
        store.write_now(lambda tx: verbs.done(tx, SEAT, task.id, task.version, "已接通"))
    for result in ("", " 好 ", "长" * 2001):
        with pytest.raises(Invalid):
            store.write_now(lambda tx, result=result: verbs.done(tx, SEAT, task.id, shown.version, result))  # type: ignore[misc]
    store.write_now(lambda tx: verbs.done(tx, SEAT, task.id, shown.version, "已接通，将补交材料"))
    assert tasks(store) == []
    told = trail(store)
    assert [action for action, _ in told] == ["callback_done", "read_number", "callback_taken"]
    assert "154****0001" in told[1][1]
    assert "15400000001" not in str(told)
