"""Text messages: who gets one, when, how often, and what becomes of the order; over a real store and a real clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.notices import segments
from dispatch.courier import Again, Held
from dispatch.couriers.sms import OptedOut, Sent, TextOutcome, Unsure
from dispatch.events import StatusEvent, apply
from dispatch.routing import Routing
from dispatch.texts import EXPIRED, NO_WAY, NOBODY, SEALED, WANTS_NONE
from petition.arrival import Outcome
from petition.clock import SHANGHAI
from petition.event import Event
from petition.people import Person, Role
from petition.petition import Lane, LegalPath
from petition.status import Status
from store import opt_outs, outbox, petitions, texts
from store.codes import query_code_of
from store.database import Store, open_store
from store.outbox import OrderState
from store.texts import TextState
from store.transaction import Transaction
from tests.dispatch.cases import PLAIN
from tests.fakes.textroom import MOBILE, NOON, OTHER, Room, text_room
from tests.store.entries import entry


@pytest.fixture
def room(tmp_path: Path, migrated: Path) -> Iterator[Room]:
    with text_room(tmp_path, migrated) as opened:
        yield opened


def test_an_acknowledgement_tells_number_and_code_in_two_messages_at_most(room: Room) -> None:
    case_no = room.case()
    order = room.tried(case_no)
    assert (order.state, order.problem) == (OrderState.DELIVERED, "已交短信平台 SM1")
    room.tried(case_no)
    [(text, repeat)] = room.way.sent
    row = entry(room.store, raw_id="raw-1")
    code = query_code_of(room.store.vault, "web", "raw-1", row.digest, ())
    assert text.words.startswith("【示例省信访局】")
    assert case_no in text.words
    assert code in text.words
    assert "https://petitions.example/track" in text.words
    assert segments(text.words) <= 2
    assert (text.to, repeat) == (MOBILE, False)
    assert PLAIN.title not in text.words
    assert "张示例" not in text.words
    assert text.receipts == f"https://petitions.example/webhooks/twilio/sms/status?order={order.id}"


def test_the_id_is_the_same_for_every_try_and_nobody_elses(room: Room) -> None:
    room.way.answers = [Unsure(problem="没有答复")]
    first, other = room.case(), room.case()
    room.tried(first)
    room.tried(first)
    room.tried(other)
    ids = [text.id for text, _ in room.way.sent]
    assert ids[0] == ids[1] != ids[2]
    assert [repeat for _, repeat in room.way.sent] == [False, True, False]


# label, the case, state of the order, words
NEVER: list[tuple[str, dict[str, Any], OrderState, str]] = [
    ("the sealed lane", {"lane": Lane.SEALED}, OrderState.WITHDRAWN, SEALED),
    ("no mobile", {"to": "0931-8123456"}, OrderState.WITHDRAWN, NOBODY),
    ("not read yet", {"read": False}, OrderState.OPEN, "等待甄别"),
]


@pytest.mark.parametrize(("case", "state", "words"), [row[1:] for row in NEVER], ids=[row[0] for row in NEVER])
def test_who_gets_none(room: Room, case: dict[str, Any], state: OrderState, words: str) -> None:
    order = room.tried(room.case(**case))
    assert (order.state, order.problem, room.way.sent) == (state, words, [])


def test_a_held_case_is_acknowledged_too(room: Room) -> None:
    order = room.tried(room.case(read=False, outcome=Outcome.HELD, reason="签名不符"))
    assert order.state is OrderState.DELIVERED


def test_who_opted_out_gets_none_also_after_a_restart(room: Room, tmp_path: Path) -> None:
    case_no = room.case()
    room.store.write_now(lambda tx: opt_outs.put(tx, "154 0000 0006", "退订"))
    room.store.close()
    room.store = open_store("", tmp_path, b"k" * 32, room.clock, min_free=0)
    order = room.tried(case_no)
    assert (order.state, order.problem, room.way.sent) == (OrderState.WITHDRAWN, WANTS_NONE, [])
    room.store.write_now(lambda tx: opt_outs.remove(tx, MOBILE))
    assert room.tried(room.case()).state is OrderState.DELIVERED


def test_who_opted_out_at_the_provider_has_opted_out_here(room: Room) -> None:
    room.way.answers = [OptedOut()]
    assert room.tried(room.case()).problem == WANTS_NONE
    assert room.store.read_now(lambda tx: opt_outs.has(tx, MOBILE))


def test_a_status_is_told_by_number_word_and_address(room: Room) -> None:
    case_no = room.case()
    room.moved(case_no, Status.ACCEPTED)
    assert room.tried(case_no, "notice").state is OrderState.DELIVERED
    [(text, _)] = room.way.sent
    assert "已受理" in text.words
    assert case_no in text.words
    assert segments(text.words) <= 2
    assert PLAIN.title not in text.words
    code = query_code_of(room.store.vault, "web", "raw-1", entry(room.store, raw_id="raw-1").digest, ())
    assert code not in text.words, "the code is told once"


SELF, PRINCIPAL, AGENT = Person(mobile=MOBILE), Person(role=Role.PRINCIPAL, mobile=MOBILE), Person(role=Role.AGENT)
# label, the case, the status it reaches, who is told
TOLD: list[tuple[str, dict[str, Any], Status, str]] = [
    ("accepted", {}, Status.ACCEPTED, MOBILE),
    ("to be rated", {}, Status.RATING_OPEN, MOBILE),
    ("on its way inside", {}, Status.FORWARDED, ""),
    ("no change of status", {}, Status.REGISTERED, ""),
    ("sealed", {"lane": Lane.SEALED}, Status.ACCEPTED, ""),
    ("nobody with a mobile", {"people": (Person(name="张示例"),)}, Status.ACCEPTED, ""),
    ("the principal, not the agent", {"people": (replace(AGENT, mobile=OTHER), PRINCIPAL)}, Status.ACCEPTED, MOBILE),
    ("an agent alone", {"people": (replace(AGENT, mobile=OTHER),)}, Status.ACCEPTED, ""),
    ("cosigners hear of it otherwise", {"people": (Person(role=Role.COSIGNER, mobile=OTHER),)}, Status.ACCEPTED, ""),
]


@pytest.mark.parametrize(("case", "status", "told"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD])
def test_who_is_told_of_what(room: Room, case: dict[str, Any], status: Status, told: str) -> None:
    case_no = room.case(status=Status.REGISTERED, **case)
    room.moved(case_no, status)
    orders = [one for one in room.store.read_now(lambda tx: outbox.of(tx, case_no)) if one.kind == "notice"]
    assert len(orders) == bool(told)
    for order in orders:
        assert dict(order.payload) == {"status": status.value}, "no number stands in the order"
        room.tried(case_no, "notice")
        assert [text.to for text, _ in room.way.sent] == [told]


def test_an_event_of_the_routing_system_is_told_once(room: Room, routing: Routing) -> None:
    case_no = room.case(status=Status.REGISTERED)
    event = StatusEvent(case_no=case_no, event_id="one", event=Event.ACCEPT, legal_path=LegalPath.P6, words="内部意见")
    for _ in range(2):
        room.store.write_now(lambda tx: apply(tx, event, routing))
    orders = [one for one in room.store.read_now(lambda tx: outbox.of(tx, case_no)) if one.kind == "notice"]
    assert [dict(one.payload) for one in orders] == [{"status": "ACCEPTED"}]
    room.tried(case_no, "notice")
    [(text, _)] = room.way.sent
    assert "已受理" in text.words
    assert "内部意见" not in text.words


def test_a_case_that_was_sealed_meanwhile_is_not_told(room: Room) -> None:
    case_no = room.case()
    room.moved(case_no, Status.ACCEPTED)

    def seal(tx: Transaction) -> None:
        petitions.amend(tx, petitions.get(tx, case_no), actor="officer:1", event="correct", lane=Lane.SEALED)

    room.store.write_now(seal)
    assert room.tried(case_no, "notice").problem == SEALED


def test_a_house_that_sends_nothing_orders_nothing(store: Store) -> None:
    made = entry(store, raw_id="quiet", orders=())
    case_no = store.writer.write_now(made).case_no

    def accept(tx: Transaction) -> None:
        petitions.amend(tx, petitions.get(tx, case_no), actor="routing", event="accept", status=Status.ACCEPTED)

    store.write_now(accept)
    assert store.read_now(lambda tx: outbox.of(tx, case_no)) == []


def test_nobody_is_woken_by_a_status_and_the_newer_one_counts(room: Room) -> None:
    room.clock.at = NOON.replace(hour=23)
    case_no = room.case()
    assert room.tried(case_no).state is OrderState.DELIVERED, "the acknowledgement was asked for just now"
    room.moved(case_no, Status.ACCEPTED)
    order = room.tried(case_no, "notice")
    assert (order.state, order.due) == (OrderState.OPEN, datetime(2026, 11, 23, 8, 0, tzinfo=SHANGHAI))
    room.moved(case_no, Status.EXTENDED)
    orders = [one for one in room.store.read_now(lambda tx: outbox.of(tx, case_no)) if one.kind == "notice"]
    assert [one.state for one in orders] == [OrderState.WITHDRAWN, OrderState.OPEN]
    room.clock.at = datetime(2026, 11, 23, 8, 0, tzinfo=SHANGHAI)
    assert room.tried(case_no, "notice").state is OrderState.DELIVERED
    assert len(room.way.sent) == 2


def test_one_number_gets_so_many_a_day(room: Room) -> None:
    orders = [room.tried(room.case()) for _ in range(room.notices.daily + 1)]
    assert [one.state for one in orders] == [OrderState.DELIVERED] * room.notices.daily + [OrderState.OPEN]
    assert orders[-1].due == datetime(2026, 11, 23, 8, 0, tzinfo=SHANGHAI)
    assert room.tried(room.case(to=OTHER)).state is OrderState.DELIVERED, "another number has its own count"
    room.clock.at = orders[-1].due
    assert room.tried(orders[-1].case_no).state is OrderState.DELIVERED


# label, answer, state of the order, state of the text, whether officers have a line
ENDS: list[tuple[str, TextOutcome | Exception, OrderState, TextState, bool]] = [
    ("taken", Sent(message_id="SM9"), OrderState.DELIVERED, TextState.ACCEPTED, False),
    ("not now", Again(problem="忙"), OrderState.OPEN, TextState.READY, False),
    ("nobody knows", Unsure(problem="没有答复"), OrderState.OPEN, TextState.UNSURE, False),
    ("never", Held(reason="短信平台拒发（21614）"), OrderState.HELD, TextState.READY, True),
    ("a bug of ours", RuntimeError("bug"), OrderState.OPEN, TextState.UNSURE, False),
]


@pytest.mark.parametrize(("answer", "state", "text", "line"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_what_becomes_of_an_order(
    room: Room, answer: TextOutcome | Exception, state: OrderState, text: TextState, line: bool
) -> None:
    room.way.answers = [answer]
    case_no = room.case()
    order = room.tried(case_no)
    sent = room.store.read_now(lambda tx: texts.find(tx, order.id))
    assert sent is not None
    assert (order.state, sent.state, "text_held" in room.lines(case_no)) == (state, text, line)
    assert "15400000006" not in order.problem


def test_what_was_held_goes_again_when_a_person_says_so(room: Room) -> None:
    room.way.answers = [Held(reason="可能已经发出")]
    case_no = room.case()
    held = room.tried(case_no)
    assert room.store.write_now(lambda tx: outbox.release(tx, held.id))
    assert room.tried(case_no).state is OrderState.DELIVERED
    assert [repeat for _, repeat in room.way.sent] == [False, False], "the person has decided"


def test_a_process_that_died_while_sending_is_taken_for_a_lost_answer(room: Room) -> None:
    case_no = room.case()
    order = room.order(case_no)
    code = texts.recipient(room.store.vault, MOBILE)
    assert room.store.write_now(lambda tx: texts.begin(tx, order.id, code, None))
    assert not room.store.write_now(lambda tx: texts.begin(tx, order.id, code, None)), "one at a time"
    assert (room.tried(case_no).state, room.way.sent) == (OrderState.OPEN, [])
    room.clock.at += timedelta(seconds=61)
    assert room.tried(case_no).state is OrderState.DELIVERED
    assert [repeat for _, repeat in room.way.sent] == [True]


def test_too_late_is_a_matter_for_a_person(room: Room) -> None:
    case_no = room.case()
    room.clock.at += timedelta(hours=73)
    order = room.tried(case_no)
    assert (order.state, order.problem, room.way.sent) == (OrderState.HELD, EXPIRED, [])
    assert "text_held" in room.lines(case_no)
    room.store.write_now(lambda tx: outbox.release(tx, order.id))
    assert room.tried(case_no).state is OrderState.DELIVERED


def test_without_a_way_the_order_says_which_setting_is_missing(room: Room) -> None:
    assert room.tried(room.case(), way=False).problem == NO_WAY
