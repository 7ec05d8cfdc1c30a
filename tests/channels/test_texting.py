"""Opting out by text message: what the door passes on, from whom, and what it does not believe."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from channels.sms import STATUS_PATH, Sms
from channels.texting import NoTexting, TextStatus
from petition.errors import Unavailable
from tests.fakes.texts import MOBILE, Phone, TextDesk, answered, encoded, hall_of, message


@dataclass
class Texts(NoTexting):
    """Remembers who wants none. trouble: raised instead."""

    stopped: list[tuple[str, str]] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    trouble: Exception | None = None
    receipts: list[TextStatus] = field(default_factory=list)

    async def opt_out(self, number: str, word: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.stopped.append((number, word))

    async def opt_in(self, number: str) -> None:
        self.started.append(number)

    async def told(self, status: TextStatus) -> None:
        self.receipts.append(status)


@pytest.fixture
def texts() -> Texts:
    return Texts()


@pytest.fixture
async def phone(texts: Texts, tmp_path: Path) -> AsyncIterator[Phone]:
    desk = TextDesk()
    app = web.Application(middlewares=[answered])
    app.add_routes(Sms().routes(replace(hall_of(desk, tmp_path), texting=texts)))
    async with TestClient(TestServer(app)) as client:
        yield Phone(client, desk)


# label, parameters, who stopped, who started
WORDS: list[tuple[str, dict[str, str], list[tuple[str, str]], list[str]]] = [
    ("退订", {"Body": "退订"}, [(MOBILE, "退订")], []),
    ("TD", {"Body": "td。"}, [(MOBILE, "td。")], []),
    ("a number abroad", {"Body": "STOP", "From": "+15400000001"}, [("+15400000001", "STOP")], []),
    ("Twilio saw it first", {"Body": "please stop", "OptOutType": "STOP"}, [(MOBILE, "please stop")], []),
    ("订阅", {"Body": "订阅"}, [], [MOBILE]),
    ("help", {"Body": "帮助"}, [], []),
    ("a petition with the word in it", {"Body": "我要退订物业的捆绑服务，他们不同意"}, [], []),
]


@pytest.mark.parametrize(("fields", "stopped", "started"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS])
async def test_words(
    phone: Phone, texts: Texts, fields: dict[str, str], stopped: list[tuple[str, str]], started: list[str]
) -> None:
    status, _ = await phone.post(encoded({**message(""), **fields}))
    assert status == 200
    assert (texts.stopped, texts.started) == (stopped, started)


async def test_nobody_silences_somebody_else(phone: Phone, texts: Texts) -> None:
    status, _ = await phone.post(encoded(message("退订")), {"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 403
    assert texts.stopped == []


async def test_what_is_not_kept_is_not_confirmed(phone: Phone, texts: Texts) -> None:
    texts.trouble = Unavailable()
    status, said = await phone.post(encoded(message("退订")))
    assert (status, "已记下" in said) == (503, False)
    assert phone.desk.refused == [], "Twilio comes again, and then it is counted"


async def test_a_receipt_is_passed_on_with_the_order_it_is_about(phone: Phone, texts: Texts) -> None:
    sid = f"SM{7:032x}"
    body = encoded({"MessageSid": sid, "MessageStatus": "undelivered", "ErrorCode": "30005", "To": MOBILE})
    path = f"{STATUS_PATH}?order=41"
    assert await phone.post(body, path=path) == (204, "")
    assert await phone.post(body, {"Content-Type": "application/x-www-form-urlencoded"}, path=path) == (403, "")
    assert texts.receipts == [TextStatus(order="41", message_id=sid, status="undelivered", error="30005")]
