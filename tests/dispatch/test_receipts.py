"""Receipts of text messages: in any order, more than once, strange ones; what failed waits for an officer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatch.couriers.sms import Unsure
from dispatch.receipts import TextReceipt, apply
from store import outbox
from store.outbox import Order, OrderState
from tests.fakes.textroom import Room, text_room


@pytest.fixture
def room(tmp_path: Path, migrated: Path) -> Iterator[Room]:
    with text_room(tmp_path, migrated) as opened:
        yield opened


def told(room: Room, order: Order, status: str, message_id: str = "SM1", error: str = "") -> bool:
    receipt = TextReceipt(order=str(order.id), message_id=message_id, status=status, error=error)
    return room.store.write_now(lambda tx: apply(tx, receipt))


# label, receipts in the order in which they come, whether each changed something, words of the order, whether it failed
RECEIPTS: list[tuple[str, list[str], list[bool], str, bool]] = [
    ("on the way", ["queued", "sent"], [False, False], "已交短信平台 SM1", False),
    ("there", ["sent", "delivered"], [False, True], "短信已送达手机", False),
    ("there twice", ["delivered", "delivered"], [True, False], "短信已送达手机", False),
    ("out of order", ["delivered", "sent"], [True, False], "短信已送达手机", False),
    ("not there", ["sent", "undelivered"], [False, True], "短信没有送达手机", True),
    ("not there twice", ["failed", "undelivered"], [True, False], "短信没有送达手机", True),
    ("there after all", ["delivered", "failed"], [True, False], "短信已送达手机", False),
]


@pytest.mark.parametrize(
    ("said", "changed", "words", "failed"), [row[1:] for row in RECEIPTS], ids=[row[0] for row in RECEIPTS]
)
def test_receipts(room: Room, said: list[str], changed: list[bool], words: str, failed: bool) -> None:
    case_no = room.case()
    order = room.tried(case_no)
    assert [told(room, order, status, error="30005") for status in said] == changed
    orders = room.store.read_now(lambda tx: outbox.of(tx, case_no))
    assert (orders[0].state, orders[0].problem) == (OrderState.DELIVERED, words)
    assert [one.state for one in orders[1:]] == [OrderState.HELD] * failed
    assert ("text_failed" in room.lines(case_no)) is failed
    if failed:
        assert "30005" in orders[1].problem
        room.store.write_now(lambda tx: outbox.release(tx, orders[1].id))
        assert room.tried(case_no).state is OrderState.DELIVERED
        assert len(room.way.sent) == 2, "an officer had it sent once more"


def test_a_receipt_that_comes_before_the_answer(room: Room) -> None:
    room.way.answers = [Unsure(problem="没有答复")]
    case_no = room.case()
    order = room.tried(case_no)
    assert told(room, order, "delivered")
    assert room.order(case_no).state is OrderState.DELIVERED
    room.tried(case_no)
    assert len(room.way.sent) == 1


# label, order, message
STRANGE: list[tuple[str, str, str]] = [
    ("no order", "", "SM1"),
    ("no number", "1 or 1", "SM1"),
    ("nobody's", "999999", "SM1"),
    ("huge", "9" * 40, "SM1"),
    ("in other digits", "１", "SM1"),
    ("another message", "own", "SM2"),
]


@pytest.mark.parametrize(("number", "message"), [row[1:] for row in STRANGE], ids=[row[0] for row in STRANGE])
def test_a_receipt_that_is_not_ours_changes_nothing(room: Room, number: str, message: str) -> None:
    order = room.tried(room.case())
    receipt = TextReceipt(order=str(order.id) if number == "own" else number, message_id=message, status="failed")
    assert not room.store.write_now(lambda tx: apply(tx, receipt))
    assert room.order(order.case_no).problem == "已交短信平台 SM1"
