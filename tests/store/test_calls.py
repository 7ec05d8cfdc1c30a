"""Calls, callbacks and sheets in the store, on both databases: nothing goes back, nothing is written over unseen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from petition.clock import SHANGHAI
from petition.errors import Conflict, NotFound
from store import callbacks, calls, seat_tables, sheets
from store.callbacks import Reason
from store.calls import CallState, StoredCall
from store.database import Store

AT = datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI)
NUMBER = "+8615400000001"


def ring(store: Store, call_id: str = "c1", **more: Any) -> StoredCall:
    values: dict[str, Any] = {"channel": "voice", "call_id": call_id, "number": NUMBER, "line": "12345", "at": AT}
    store.write_now(lambda tx: calls.ring(tx, **{**values, **more}))
    found = store.read_now(lambda tx: calls.find(tx, "voice", call_id))
    assert found is not None
    return found


def ask(store: Store, call_id: str = "c1", **more: Any) -> None:
    values: dict[str, Any] = {
        "channel": "voice",
        "call_id": call_id,
        "reason": Reason.MISSED,
        "number": NUMBER,
        "line": "12345",
        "called_at": AT,
        "due": AT + timedelta(hours=24),
    }
    store.write_now(lambda tx: callbacks.add(tx, **{**values, **more}))


def test_a_call_rings_once_and_its_number_is_sealed(store: Store) -> None:
    first = ring(store)
    again = ring(store, case_no="620000P2026112200001X")
    assert (again.id, again.state, again.case_no) == (first.id, CallState.WAITING, "620000P2026112200001X")
    assert len(store.read_now(calls.shown)) == 1
    with store.reading.connect() as connection:
        row = connection.execute(seat_tables.calls.select()).one()
    assert b"5400000" not in bytes(row.number)


def test_a_call_goes_forward_only(store: Store) -> None:
    call = ring(store)
    store.write_now(lambda tx: calls.take(tx, call, "yanshi", "sheet-1"))
    with pytest.raises(Conflict):
        store.write_now(lambda tx: calls.take(tx, call, "other", "sheet-2"))
    assert ring(store).state is CallState.TAKEN
    assert store.read_now(calls.shown) == []
    ended = store.write_now(lambda tx: calls.over(tx, "voice", "c1", AT))
    assert ended is not None
    assert ended.sheet == "sheet-1"
    assert store.write_now(lambda tx: calls.over(tx, "voice", "c1", AT)) is None
    assert ring(store).state is CallState.OVER
    assert store.write_now(lambda tx: calls.over(tx, "voice", "unknown", AT)) is None


def test_answered_elsewhere_it_is_still_shown_until_a_sheet_is_begun(store: Store) -> None:
    ring(store)
    call = ring(store, seat="801")
    assert (call.state, call.seat) == (CallState.TAKEN, "801")
    assert [one.call_id for one in store.read_now(calls.shown)] == ["c1"]
    assert ring(store, "c2", seat="802").state is CallState.TAKEN, "the first word may be that it was answered"


def test_nobody_answered(store: Store) -> None:
    ring(store)
    before = store.write_now(lambda tx: calls.over(tx, "voice", "c1", AT))
    assert before is not None
    assert before.state is CallState.WAITING
    assert ring(store).state is CallState.MISSED


def test_calls_whose_end_got_lost(store: Store) -> None:
    ring(store)
    ring(store, "c2", seat="801")
    past, future = AT - timedelta(days=9000), AT + timedelta(days=9000)
    found = store.read_now(lambda tx: [one.call_id for one in calls.silent(tx, future, past)])
    assert found == ["c1"], "who talks is not silent"
    assert len(store.read_now(lambda tx: calls.silent(tx, past, future))) == 2
    assert store.read_now(lambda tx: calls.silent(tx, past, past)) == []


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("15400000001", ("mobile", NUMBER)),
        ("+869318000000", ("landline", "0931-8000000")),
        ("8123456", ("number", "8123456")),
        ("匿名", None),
        ("", None),
    ],
)
def test_what_a_number_is_known_by(number: str, key: tuple[str, str] | None) -> None:
    assert calls.key_of(number) == key


def test_the_mark_changes_with_what_is_shown(store: Store) -> None:
    marks = [store.read_now(calls.mark)]
    call = ring(store)
    marks.append(store.read_now(calls.mark))
    ring(store)
    assert store.read_now(calls.mark) == marks[-1], "a renewal is nothing new"
    store.write_now(lambda tx: calls.take(tx, call, "yanshi", "s"))
    ask(store, "c9")
    marks.append(store.read_now(calls.mark))
    [task] = store.read_now(callbacks.open_ones)
    store.write_now(lambda tx: callbacks.take(tx, task, "yanshi"))
    marks.append(store.read_now(calls.mark))
    assert len(set(marks)) == len(marks)


def test_who_sits(store: Store) -> None:
    store.write_now(lambda tx: calls.sit(tx, "house-a", ["b", "a", "a"]))
    store.write_now(lambda tx: calls.sit(tx, "house-b", ["b"]))
    minute = timedelta(minutes=1)
    assert list(store.read_now(lambda tx: calls.seated(tx, minute))) == ["a", "b"]
    store.write_now(lambda tx: calls.sit(tx, "house-a", []))
    assert list(store.read_now(lambda tx: calls.seated(tx, minute))) == ["b"]
    assert list(store.read_now(lambda tx: calls.seated(tx, timedelta()))) == []


def test_a_callback_is_entered_once_and_a_wish_is_worth_more(store: Store) -> None:
    ask(store)
    ask(store, reason=Reason.WISH, wish="下午打来", case_no="620000P2026112200001X")
    ask(store, reason=Reason.WISH, wish="另一句")
    [task] = store.read_now(callbacks.open_ones)
    assert (task.reason, task.wish, task.case_no, task.number) == (
        Reason.WISH, "下午打来", "620000P2026112200001X", NUMBER,
    )  # fmt: skip


def test_a_callback_is_closed_by_whoever_saw_it_last(store: Store) -> None:
    ask(store)
    [task] = store.read_now(callbacks.open_ones)
    store.write_now(lambda tx: callbacks.take(tx, task, "yanshi"))
    with pytest.raises(Conflict):
        store.write_now(lambda tx: callbacks.close(tx, task, "other", "已接通"))
    [taken] = store.read_now(lambda tx: callbacks.of_number(tx, "15400000001"))
    store.write_now(lambda tx: callbacks.close(tx, taken, "yanshi", "已接通"))
    done = store.read_now(lambda tx: callbacks.get(tx, task.id))
    assert (done.seat, done.result, done.done_at is not None) == ("yanshi", "已接通", True)
    assert store.read_now(callbacks.open_ones) == []
    with pytest.raises(NotFound):
        store.read_now(lambda tx: callbacks.get(tx, 4711))


def begin(store: Store, **fields: str) -> sheets.Sheet:
    store.write_now(
        lambda tx: sheets.create(tx, sheet="s1", seat="yanshi", channel="voice", call_id="c1", fields=fields)
    )
    return store.read_now(lambda tx: sheets.get(tx, "s1", "yanshi"))


def change(store: Store, base: int, **fields: str) -> sheets.Sheet:
    return store.write_now(lambda tx: sheets.change(tx, sheets.get(tx, "s1", "yanshi"), base, fields))


def test_two_windows_lose_no_word(store: Store) -> None:
    first = begin(store, line="12345")
    change(store, first.version, content="楼道灯坏了", title="灯")
    # The other window still knows the first version.
    other = change(store, first.version, content="三号楼没有暖气", kind="求助")
    assert other.fields == {"line": "12345", "content": "三号楼没有暖气", "title": "灯", "kind": "求助"}
    assert other.displaced == (("content", "楼道灯坏了"),)
    longer = change(store, first.version, content="三号楼没有暖气，两周了")
    assert longer.displaced == other.displaced, "what is still in it was not lost"
    kept = store.read_now(lambda tx: sheets.get(tx, "s1", "yanshi"))
    assert (kept.fields, kept.displaced, kept.version) == (longer.fields, longer.displaced, longer.version)


def test_a_sheet_is_its_seats_own_and_ends_with_the_receipt(store: Store) -> None:
    sheet = begin(store, content="楼道灯坏了")
    with pytest.raises(NotFound):
        store.read_now(lambda tx: sheets.get(tx, "s1", "other"))
    with store.reading.connect() as connection:
        assert "楼道".encode() not in bytes(connection.execute(seat_tables.sheets.select()).one().body)
    store.write_now(lambda tx: sheets.submit(tx, sheet, "620000P2026112200001X", {"query_code": "x"}))
    done = store.read_now(lambda tx: sheets.get(tx, "s1", "yanshi"))
    assert (done.fields, done.receipt, done.case_no) == ({}, {"query_code": "x"}, "620000P2026112200001X")
    with pytest.raises(Conflict):
        change(store, done.version, content="noch etwas")
    with pytest.raises(Conflict):
        store.write_now(lambda tx: sheets.submit(tx, sheet, "620000P2026112200002X", {}))
    assert store.read_now(lambda tx: sheets.unfinished(tx, "yanshi")) == []
    assert store.write_now(lambda tx: sheets.expire(tx, timedelta(days=30), timedelta(days=1))) == 0
    assert store.write_now(lambda tx: sheets.expire(tx, timedelta(days=30), timedelta())) == 1


def test_an_idle_sheet_is_forgotten_and_one_can_be_thrown_away(store: Store) -> None:
    sheet = begin(store)
    assert [one.id for one in store.read_now(lambda tx: sheets.unfinished(tx, "yanshi"))] == ["s1"]
    assert store.write_now(lambda tx: sheets.expire(tx, timedelta(), timedelta(days=1))) == 1
    sheet = begin(store)
    store.write_now(lambda tx: sheets.drop(tx, sheet))
    assert store.read_now(lambda tx: sheets.unfinished(tx, "yanshi")) == []
