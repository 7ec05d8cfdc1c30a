"""Codes by text message: handed over at once under the signature; who wants none gets none; failures look alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dispatch.codes import FAILED, SendCode
from dispatch.courier import Again, Held
from dispatch.couriers.sms import OptedOut, Sent, TextOutcome, Unsure
from petition.errors import Unavailable
from store import opt_outs
from tests.fakes.textroom import HEAD, MOBILE, Room, text_room


@pytest.fixture
def room(tmp_path: Path, migrated: Path) -> Iterator[Room]:
    with text_room(tmp_path, migrated) as made:
        yield made


def sender(room: Room, *, way: bool = True) -> SendCode:
    return SendCode(store=room.store, texter=room.way if way else None, notices=room.notices, sign=HEAD.sign)


# label, what the provider answers, whether it counts as sent
ANSWERS: list[tuple[str, TextOutcome, bool]] = [
    ("sent", Sent(message_id="SM1"), True),
    ("perhaps it arrives", Unsure(problem="x"), True),
    ("later", Again(problem="x", after=timedelta(seconds=1)), False),
    ("never", Held(reason="x"), False),
    ("wants none", OptedOut(), False),
]


@pytest.mark.parametrize(("answer", "sent"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_a_code_leaves_or_the_page_is_told(room: Room, answer: TextOutcome, sent: bool) -> None:
    room.way.answers.append(answer)
    if sent:
        sender(room)(MOBILE, "012345", 10)
    else:
        with pytest.raises(Unavailable, match=FAILED):
            sender(room)(MOBILE, "012345", 10)
    [(text, repeat)] = room.way.sent
    assert (text.to, repeat, text.values) == (MOBILE, False, {"code": "012345", "minutes": "10"})
    assert text.words.startswith("【示例省信访局】验证码012345，10分钟")


def test_the_provider_may_tell_of_an_opt_out(room: Room) -> None:
    room.way.answers.append(OptedOut())
    with pytest.raises(Unavailable):
        sender(room)(MOBILE, "012345", 10)
    assert room.store.read_now(lambda tx: opt_outs.has(tx, MOBILE))


def test_who_wants_none_gets_none_and_a_house_without_a_way_sends_none(room: Room) -> None:
    with pytest.raises(Unavailable):
        sender(room, way=False)(MOBILE, "012345", 10)
    room.store.write_now(lambda tx: opt_outs.put(tx, MOBILE, "退订"))
    with pytest.raises(Unavailable):
        sender(room)(MOBILE, "012345", 10)
    assert room.way.sent == []
