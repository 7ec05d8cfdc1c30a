"""Whole mails: the samples, packed and broken ones, costly ones, and mutants of all of them."""

from __future__ import annotations

import os
import random
import struct
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest

from channels import tnef
from channels.mail import Mail, MailKind, Part, TooCostly, read_mail
from channels.mail_parts import Budget
from petition.clock import SHANGHAI

SAMPLES = sorted((Path(__file__).parent.parent / "samples" / "email").glob("*.eml"))
HEAD = b"From: a@mail.example\nSubject: s\n"
MUTANTS = int(os.environ.get("GATEWAY_MUTANTS", "300"))


def sample(name: str) -> Mail:
    """The sample of this name, read."""
    return read_mail(next(path for path in SAMPLES if path.stem == name).read_bytes())


def codes(mail: Mail) -> list[str]:
    """The codes of its notes."""
    return [code for code, _ in mail.notes]


# sample, kind, text contains, quoted contains, signature, notes
READ: list[tuple[str, MailKind, str, str, str, list[str]]] = [
    ("plain_gbk_as_gb2312", MailKind.ORDINARY, "朱镕街〇号", "", "", []),
    ("raw_gbk_headers", MailKind.ORDINARY, "夜间施工噪声", "", "", ["charset_guessed"]),
    ("charset_glued", MailKind.ORDINARY, "咨询低保政策。", "", "", ["broken_mime"]),
    ("qq_reply", MailKind.ORDINARY, "补充一张照片，灯还没有修。", "您的信访件已登记。", "发自我的iPhone", []),
    ("outlook_reply", MailKind.ORDINARY, "什么时候开会", "请确认是否同意调解", "", []),
    ("gmail_bottom", MailKind.ORDINARY, "门牌号是演示路8号。", "请补充门牌号", "", []),
    ("forward_only", MailKind.ORDINARY, "拖欠我们12人工资", "", "", []),
    ("dsn", MailKind.BOUNCE, "Not delivered.", "", "", ["nested_mail"]),
    ("out_of_office", MailKind.AUTOMATIC, "I am away.", "", "", []),
    ("list", MailKind.LIST, "news", "", "", []),
    ("nested_mail", MailKind.ORDINARY, "内层邮件的诉求。", "", "", ["nested_mail"]),
    ("uuencode", MailKind.ORDINARY, "正文在前。\n\n正文在后。", "", "", ["uuencoded"]),
    ("smime", MailKind.ORDINARY, "", "", "", ["encrypted"]),
    ("no_end", MailKind.ORDINARY, "没有写完的信", "", "", ["cut_off"]),
    ("names", MailKind.ORDINARY, "见附件。", "", "", []),
]


@pytest.mark.parametrize(("name", "kind", "text", "quoted", "signature", "notes"), READ, ids=[case[0] for case in READ])
def test_a_sample_is_read(name: str, kind: MailKind, text: str, quoted: str, signature: str, notes: list[str]) -> None:
    mail = sample(name)
    assert (mail.kind, mail.signature, codes(mail)) == (kind, signature, notes)
    assert text in mail.text
    assert quoted in mail.quoted
    assert bool(quoted) == bool(mail.quoted)
    assert not quoted or quoted not in mail.text


def test_every_sample_has_its_line() -> None:
    assert {path.stem for path in SAMPLES} == {case[0] for case in READ}


def test_the_head_of_a_mail() -> None:
    mail = sample("plain_gbk_as_gb2312")
    assert mail.subject == "反映朱镕街楼道灯问题"
    assert mail.senders == (("张示例", "zhang@mail.example"),)
    assert mail.sender == "zhang@mail.example"
    assert mail.date == datetime(2026, 11, 22, 9, 12, tzinfo=SHANGHAI)
    assert (mail.message_id, mail.is_reply) == ("a1@mail.example", False)
    answer = sample("qq_reply")
    assert answer.is_reply
    assert answer.references == ("ack-1@xf.example", "old-1@xf.example")
    assert sample("raw_gbk_headers").subject == "关于噪声扰民的投诉"


def test_names_of_attachments() -> None:
    names = [part.name for part in sample("names").parts]
    assert names == ["证据.pdf", "照片.png", "合同.doc", "发票.xls", "evil.exe", "附件6.pdf", "附件7.ics"]


def test_a_mail_inside_is_kept_and_unpacked() -> None:
    outer = sample("nested_mail")
    assert [(part.name, part.media_type) for part in outer.parts] == [
        ("附件1.eml", "message/rfc822"),
        ("p.png", "image/png"),
    ]
    assert sample("uuencode").parts == (Part(name="a.txt", media_type="application/octet-stream", body=b"Cat"),)


# label, header lines, senders, believed sender
SENDERS: list[tuple[str, str, tuple[tuple[str, str], ...], str]] = [
    ("none", "Subject: x", (), ""),
    ("only Sender", "Sender: s@m.example", (), "s@m.example"),
    ("only Return-Path", "Return-Path: <r@m.example>", (), "r@m.example"),
    ("a null path", "Return-Path: <>", (), ""),
    ("no address", "From: 张示例", (("张示例", ""),), ""),
    ("a comma in the name", 'From: "Zhang, S" <a@m.example>', (("Zhang, S", "a@m.example"),), "a@m.example"),
    ("a comment", "From: a@m.example (张示例)", (("张示例", "a@m.example"),), "a@m.example"),
    ("two", "From: a@m.example, B <b@m.example>", (("", "a@m.example"), ("B", "b@m.example")), "a@m.example"),
    ("two headers", "From: a@m.example\nFrom: b@m.example", (("", "a@m.example"), ("", "b@m.example")), "a@m.example"),
    ("no closing quote", 'From: "A <a@m.example>', (("A", "a@m.example"),), "a@m.example"),
    ("a comma in a word", "From: =?utf-8?q?Z=2C_S?= <a@m.example>", (("Z, S", "a@m.example"),), "a@m.example"),
]


@pytest.mark.parametrize(("lines", "senders", "sender"), [c[1:] for c in SENDERS], ids=[c[0] for c in SENDERS])
def test_senders(lines: str, senders: tuple[tuple[str, str], ...], sender: str) -> None:
    mail = read_mail(f"{lines}\n\nx".encode())
    assert (mail.senders, mail.sender) == (senders, sender)


def test_references_survive_comments_and_several_ids() -> None:
    mail = read_mail(
        b'In-Reply-To: Your mail of "Sun" <c@x> (a comment) <d@x>\nReferences: <a@x>\n <b@x> <c@x>\n\ntext'
    )
    assert mail.references == ("c@x", "d@x", "b@x", "a@x")
    many = b"References: " + b" ".join(b"<%d@x>" % n for n in range(80)) + b"\n\ntext"
    assert len(read_mail(many).references) == 50
    assert read_mail(many).references[0] == "79@x"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("Sun, 22 Nov 2026 01:12:00 -0000", datetime(2026, 11, 22, 9, 12, tzinfo=SHANGHAI)),
        ("Sun, 22 Nov 2026 09:12:00", datetime(2026, 11, 22, 9, 12, tzinfo=SHANGHAI)),
        ("2026-11-22 09:12:00", datetime(2026, 11, 22, 9, 12, tzinfo=SHANGHAI)),
        ("Sun, 99 Nov 2026 09:12:00 +0800", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(value: str, moment: datetime | None) -> None:
    assert read_mail(f"Date: {value}\n\nx".encode()).date == moment


def alternative(plain: str, page: str) -> bytes:
    """A mail that says the same twice."""
    return (
        f"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n{plain}\n"
        f"--b\nContent-Type: text/html; charset=utf-8\n\n{page}\n--b--\n"
    ).encode()


# label, plain, HTML, text
FORMS: list[tuple[str, str, str, str]] = [
    ("plain first", "一", "<p>二</p>", "一"),
    ("no plain words", " ", "<p>二</p>", "二"),
    ("only a hint", "Please view this email in HTML.", "<p>二</p>", "二"),
    ("only a beginning", "尊敬的领导", f"<p>{'长' * 300}</p>", "长" * 300),
    ("only a hint and nothing else", "请使用HTML方式查看", "", "请使用HTML方式查看"),
]


@pytest.mark.parametrize(("plain", "page", "text"), [case[1:] for case in FORMS], ids=[case[0] for case in FORMS])
def test_alternatives_are_taken_once(plain: str, page: str, text: str) -> None:
    assert read_mail(alternative(plain, page)).text == text


def test_seventy_attachments_are_all_kept() -> None:
    files = b"".join(b"--b\nContent-Type: image/png; name=%d.png\n\n%d\n" % (n, n) for n in range(70))
    mail = read_mail(HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + files + b"--b--\n")
    assert [(part.name, part.body) for part in mail.parts] == [(f"{n}.png", b"%d" % n) for n in range(70)]


@pytest.mark.parametrize(
    ("raw", "text", "files", "notes"),
    [
        (b"", "", 0, ["broken_mime"]),
        ("没有任何邮件头".encode(), "没有任何邮件头", 0, ["broken_mime", "charset_guessed"]),
        (bytes(range(256)) * 10, "", 1, ["broken_mime"]),
        (HEAD, "", 0, []),
    ],
    ids=["empty", "no headers", "garbage", "no body"],
)
def test_what_is_hardly_a_mail(raw: bytes, text: str, files: int, notes: list[str]) -> None:
    mail = read_mail(raw)
    assert (mail.text, len(mail.parts), codes(mail)) == (text, files, notes)


def attribute(level: int, kind: int, data: bytes) -> bytes:
    """One attribute of a TNEF stream."""
    return struct.pack("<BII", level, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def prop(kind: int, number: int, value: bytes) -> bytes:
    """One property of variable length."""
    return struct.pack("<HHII", kind, number, 1, len(value)) + value + b"\0" * (-len(value) % 4)


# What packed RTF looks like (MS-OXRTFCP), and what it says.
PACKED = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
)
PLAIN = b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


def winmail(*message: bytes) -> bytes:
    """A winmail.dat with these message properties and one attachment."""
    long_name = prop(0x1F, 0x3707, "证据材料.pdf\0".encode("utf-16-le"))
    return b"".join(
        [
            b"\x78\x9f\x3e\x22\x01\x00",
            attribute(1, 0x00069007, struct.pack("<II", 936, 0)),
            attribute(1, 0x00069003, struct.pack("<I", len(message)) + b"".join(message)),
            attribute(2, 0x00069002, b"\0" * 14),
            attribute(2, 0x00018010, b"ZHENGJ~1.PDF\0"),
            attribute(2, 0x0006800F, b"%PDF-1"),
            attribute(2, 0x00069005, struct.pack("<I", 1) + long_name),
        ]
    )


def with_winmail(body: bytes) -> Mail:
    """A mail that carries nothing else."""
    return read_mail(HEAD + b"Content-Type: application/ms-tnef; name=winmail.dat\n\n" + body)


# label, message property, text
BODIES: list[tuple[str, bytes, str]] = [
    ("text", prop(0x1E, 0x1000, "请求修路\0".encode("gbk")), "请求修路"),
    ("UTF-16", prop(0x1F, 0x1000, "请求修路\0".encode("utf-16-le")), "请求修路"),
    ("HTML", prop(0x102, 0x1013, "<meta charset=utf-8><p>请求修路</p>".encode()), "请求修路"),
    ("compressed RTF", prop(0x102, 0x1009, PACKED), "hello world"),
]


@pytest.mark.parametrize(("message", "text"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES])
def test_winmail_is_unpacked(message: bytes, text: str) -> None:
    mail = with_winmail(winmail(message))
    assert mail.text == text
    assert [(part.name, part.body) for part in mail.parts] == [("证据材料.pdf", b"%PDF-1")]
    assert codes(mail) == ["winmail"]


def test_every_cut_of_a_winmail_keeps_its_bytes() -> None:
    whole = winmail(BODIES[0][1])
    for length in range(6, len(whole) - 1):
        mail = with_winmail(whole[:length])
        kept = [part.body for part in mail.parts]
        assert kept == [whole[:length]] or codes(mail) == ["winmail"], length


def test_rtf_is_read() -> None:
    assert tnef.decompressed(PACKED, Budget(2).check) == PLAIN
    rich = rb"{\rtf1\ansicpg936{\fonttbl{\f0 Arial;}}\'c7\'eb\u27714?\par b\{c\}}"
    assert tnef.rtf_text(rich, Budget(2).check) == "请求\nb{c}"


PAGE = HEAD + b"Content-Type: text/html\n\n"
# label, raw: each is read or refused within its seconds
COSTLY: list[tuple[str, bytes]] = [
    ("100,000 headers", b"".join(b"X-%d: y\n" % n for n in range(100_000)) + b"\nx"),
    ("100,000 times From", b"From: a <a@b.example>\n" * 100_000 + b"\nx"),
    ("2,000 multiparts", b"".join(b"Content-Type: multipart/x; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(2000))),
    ("2,000 mails inside", b"Content-Type: message/rfc822\n\n" * 2000),
    ("300 KB of tables", PAGE + b"<table><tr><td>" * 20_000),
    ("300 KB of quotes", PAGE + b"<blockquote>" * 25_000 + b"x"),
    ("5 MB in one line", PAGE + b"word " * 1_000_000),
    ("tags without end", PAGE + b'<a "' * 1_000_000),
    ("a million parts", b"Content-Type: multipart/x; boundary=b\n\n" + b"--b\n" * 1_000_000),
    ("a sender of quotes", b"From: " + b'"\\' * 100_000 + b"\n\nx"),
    ("references", b"References: " + b"<a@b> " * 1_000_000 + b"\n\nx"),
    ("headings of quotes", HEAD + b"\n" + b"At 2026\n" * 300_000),
    ("escapes", HEAD + b"Content-Type: text/plain; charset=iso-2022-jp\n\n" + b"\x1b$B" * 1_000_000),
]


@pytest.mark.parametrize("raw", [case[1] for case in COSTLY], ids=[case[0] for case in COSTLY])
def test_no_mail_costs_more_than_its_budget(raw: bytes) -> None:
    began = time.thread_time()
    with suppress(TooCostly):
        read_mail(raw, seconds=0.5)
    assert time.thread_time() - began < 1.5


PIECES = [b"\n", b"\r", b"=?", b"?=", b"=", b";", b'"', b"<", b">", b"--", b"charset=utf-7", b"\0", b"\x1b$B", b"*0*="]


def mutant(source: random.Random, raw: bytes) -> bytes:
    """The bytes with a few of them flipped, cut, doubled, inserted, or two lines swapped."""
    body = bytearray(raw)
    for _ in range(source.randint(1, 8)):
        at, length = source.randrange(len(body) + 1), source.randint(1, 40)
        match source.choice(["flip", "cut", "double", "insert", "piece", "swap"]):
            case "flip" if at < len(body):
                body[at] ^= 1 << source.randrange(8)
            case "cut":
                del body[at : at + length]
            case "double":
                body[at:at] = body[at : at + length]
            case "insert":
                body[at:at] = source.randbytes(length)
            case "piece":
                body[at:at] = source.choice(PIECES)
            case "swap":
                lines = bytes(body).split(b"\n")
                one, two = source.randrange(len(lines)), source.randrange(len(lines))
                lines[one], lines[two] = lines[two], lines[one]
                body = bytearray(b"\n".join(lines))
    return bytes(body)


def test_mutants_are_read_or_refused() -> None:
    source = random.Random(20261122)
    sources = [path.read_bytes() for path in SAMPLES]
    sources += [HEAD + b"Content-Type: application/ms-tnef\n\n" + winmail(case[1]) for case in BODIES]
    for number in range(MUTANTS):
        raw = mutant(source, source.choice(sources))
        try:
            mail = read_mail(raw, trusted=frozenset({"mx.example"}))
        except TooCostly:
            continue
        texts = [mail.message_id, mail.subject, mail.sender, mail.text, mail.quoted, mail.signature, *mail.references]
        texts += [text for pair in mail.senders for text in pair] + [part.name for part in mail.parts]
        assert all(isinstance(text, str) and text.encode() is not None for text in texts), number
        assert isinstance(mail.kind, MailKind)
        assert all(part.name and len(part.name) <= 120 and isinstance(part.body, bytes) for part in mail.parts), number
        assert mail.date is None or mail.date.tzinfo is not None
