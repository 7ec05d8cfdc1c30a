"""The mail door alone: what it makes of mails, over real SMTP, with an intake that remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.email import NAME, Email
from channels.smtp import SmtpListener
from petition.errors import Conflict, LowDisk, PetitionError, Unavailable
from petition.petition import Form
from tests.fakes.mailroom import CASE, OURS, Desk, hall_for, mail, send


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def listener(desk: Desk, tmp_path: Path) -> AsyncIterator[SmtpListener]:
    opened = await Email().listen(hall_for(desk, tmp_path, limit=200_000))
    assert isinstance(opened, SmtpListener)
    yield opened
    await opened.stop()


async def test_a_mail_is_registered_before_the_sender_hears_250(listener: SmtpListener, desk: Desk) -> None:
    message = mail()
    message.add_attachment(b"%PDF-1.4 x", maintype="application", subtype="pdf", filename="照片.pdf")
    assert await send(listener, message) == [f"250 registered {CASE}"]
    [arrival] = desk.arrivals
    said = arrival.statement
    assert (arrival.channel, arrival.form, arrival.hold) == (NAME, Form.EMAIL, "")
    kept, sent = (one.replace(b"\r\n", b"\n").rstrip() for one in (arrival.raw, message.as_bytes()))
    assert kept == sent, "the original as it came"
    assert (said.title, said.content) == ("反映演示小区路灯", "路灯不亮已经半个月,请修好。")
    assert (said.petitioners[0].name, said.petitioners[0].email) == ("张示例", "zhang@mail.example")
    assert [(one.name, one.body) for one in arrival.uploads] == [("照片.pdf", b"%PDF-1.4 x")]
    assert arrival.threads == ("one@mail.example",)
    assert arrival.reply is not None
    assert (arrival.reply.to, arrival.reply.message_id) == ("zhang@mail.example", "one@mail.example")


# label, what happens inside, how the reply begins
REPLIES: list[tuple[str, Exception, str]] = [
    ("the database is away", Unavailable(), "451"),
    ("the disk is full", LowDisk(), "452"),
    ("a bug in us", RuntimeError("boom"), "451"),
    ("what can never be taken", PetitionError(), "550"),
]


@pytest.mark.parametrize(("problem", "begins"), [row[1:] for row in REPLIES], ids=[row[0] for row in REPLIES])
async def test_what_was_not_committed_is_not_acknowledged(
    listener: SmtpListener, desk: Desk, problem: Exception, begins: str
) -> None:
    desk.problem = problem
    [reply] = await send(listener, mail())
    assert reply.startswith(begins)
    desk.problem = None
    assert await send(listener, mail()) == [f"250 registered {CASE}"]


async def test_the_same_mail_by_another_way_is_in_already(listener: SmtpListener, desk: Desk) -> None:
    one, other = mail(), mail()
    other["Received"] = "from relay.example by mx.example; Sun, 22 Nov 2026 08:00:01 +0800"
    await send(listener, one)
    desk.problem, desk.known = Conflict(), CASE
    assert await send(listener, other) == [f"250 registered {CASE}"]
    desk.problem = None
    await send(listener, other, mail("另一件事:楼道堆放杂物。"))
    ids = [arrival.raw_id for arrival in desk.arrivals]
    assert ids[0] == ids[1], "Received lines do not make another mail"
    assert ids[2] != ids[0], "a Message-ID used again for other words does"


# label, headers, reason of the refusal or beginning of the reason of the hold
KINDS: list[tuple[str, dict[str, str], str, str]] = [
    ("out of office", {"Auto-Submitted": "auto-replied", "Subject": "自动回复:休假"}, "", "自动发送"),
    ("a mailing list", {"List-Id": "<news.example>", "Precedence": "list"}, "", "群发"),
    ("our own letter comes back", {"From": OURS}, "loop", ""),
]


@pytest.mark.parametrize(("headers", "refused", "held"), [row[1:] for row in KINDS], ids=[row[0] for row in KINDS])
async def test_machines_are_ledgered_and_never_answered(
    listener: SmtpListener, desk: Desk, headers: dict[str, str], refused: str, held: str
) -> None:
    message = mail()
    for name, value in headers.items():
        del message[name]
        message[name] = value
    [reply] = await send(listener, message)
    assert reply.startswith("250")
    assert [reason for _, reason in desk.refused] == ([refused] if refused else [])
    assert all(arrival.hold.startswith(held) and arrival.reply is None for arrival in desk.arrivals)
    assert len(desk.arrivals) == (0 if refused else 1)


async def test_nobody_is_written_to_when_the_return_path_is_empty(listener: SmtpListener, desk: Desk) -> None:
    await send(listener, mail(), sender="")
    assert all(arrival.reply is None and arrival.hold for arrival in desk.arrivals)
    assert len(desk.arrivals) + len(desk.refused) == 1


# label, headers of the second mail, whether it joins
JOINS: list[tuple[str, dict[str, str], bool]] = [
    ("a reply in the conversation", {"Subject": "回复:反映", "In_Reply_To": "<one@mail.example>"}, True),
    ("a reply to our acknowledgement", {"Subject": "Re: x", "References": "<f00d@office.example>"}, True),
    ("the number and the sender", {"Subject": "补充 620000-E-20261122-00001-K"}, True),
    ("the number from somebody else", {"Subject": f"补充 {CASE}", "From": "li@mail.example"}, False),
    ("an old mail used for a new topic", {"Subject": "另一件事", "References": "<one@mail.example>"}, False),
    ("a reply to nothing known", {"Subject": "Re: x", "In_Reply_To": "<other@mail.example>"}, False),
]


@pytest.mark.parametrize(("headers", "joins"), [row[1:] for row in JOINS], ids=[row[0] for row in JOINS])
async def test_a_reply_joins_its_case(listener: SmtpListener, desk: Desk, headers: dict[str, str], joins: bool) -> None:
    desk.threads = {"one@mail.example": CASE, "f00d": CASE}
    desk.senders = {(CASE, "zhang@mail.example")}
    await send(listener, mail(**{"Message_ID": "<two@mail.example>", **headers}))
    [arrival] = desk.arrivals
    assert (arrival.sub_source == f"supplement:{CASE}") is joins
    assert (arrival.reply is None) is joins, "one acknowledgement a case"


async def test_a_mailbox_tells_where_it_came_in_and_strangers_are_sent_away(listener: SmtpListener, desk: Desk) -> None:
    assert (await send(listener, mail(), to="YiQing@office.example"))[0].startswith("250")
    assert desk.arrivals[0].sub_source == "疫情专线"
    assert (await send(listener, mail(), to="other@office.example"))[0].startswith("550")
    assert len(desk.arrivals) == 1


async def test_a_mail_beyond_the_limit_is_refused_whole(listener: SmtpListener, desk: Desk) -> None:
    [reply] = await send(listener, b"Subject: x\r\n\r\n" + b"a" * 990 + b"\r\n" + (b"a" * 900 + b"\r\n") * 300)
    assert reply.startswith("552")
    assert desk.arrivals == []


# label, bytes after DATA
ODD: list[tuple[str, bytes]] = [
    ("no header at all", "你好".encode()),
    ("nothing", b""),
    ("a line of 60,000 octets", b"Subject: x\r\n\r\n" + b"a" * 60_000 + b"\r\n"),
    ("raw GBK in the subject", b"Subject: " + "路灯".encode("gbk") + b"\r\n\r\n" + "不亮".encode("gbk") + b"\r\n"),
    ("NUL bytes", b"Subject: x\r\n\r\n\x00\x00\x00\r\n"),
    (
        "a bomb of parts",
        b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(3000)),
    ),
]


@pytest.mark.parametrize("body", [row[1] for row in ODD], ids=[row[0] for row in ODD])
async def test_whatever_it_is_it_is_entered(listener: SmtpListener, desk: Desk, body: bytes) -> None:
    [reply] = await send(listener, body)
    assert reply.startswith("250"), reply
    assert len(desk.arrivals) + len(desk.refused) == 1
    assert await send(listener, mail()) == [f"250 registered {CASE}"], "the next one is not held up"
