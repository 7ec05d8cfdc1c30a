"""The MIME tree: headers, names, encodings and broken structures."""

from __future__ import annotations

import base64
from itertools import pairwise

import pytest

from channels.mail_parts import (
    NAME_MAX,
    Budget,
    TooCostly,
    base64_bytes,
    clean_name,
    decode_words,
    parameters,
    parse,
)


def words(text: str, charset: str, *cuts: int) -> str:
    """The text as encoded words, cut at these bytes."""
    body = text.encode(charset)
    ends = [0, *cuts, len(body)]
    pieces = [body[start:end] for start, end in pairwise(ends)]
    return "\r\n ".join(f"=?{charset}?B?{base64.b64encode(piece).decode()}?=" for piece in pieces)


# label, as sent, as read
WORDS: list[tuple[str, str, str]] = [
    ("plain", "hello", "hello"),
    ("quoted", "=?utf-8?q?=E5=92=A8=E8=AF=A2_x?=", "咨询 x"),
    ("cut inside a character", words("咨询低保", "utf-8", 4, 8), "咨询低保"),
    ("cut inside a GBK character", words("咨询低保", "gbk", 3), "咨询低保"),
    ("base64 cut inside four signs", "=?utf-8?B?5ZKo6K?= =?utf-8?B?+i?=", "咨询"),
    ("gb2312 that is GBK", words("朱镕基", "gbk").replace("gbk", "gb2312"), "朱镕基"),
    ("between plain words", f"Re: {words('咨询', 'utf-8')} x", "Re: 咨询 x"),
    ("two charsets", f"{words('咨询', 'utf-8')} {words('低保', 'gbk')}", "咨询低保"),
    ("an unknown charset", "=?x-none?B?5ZKo6K+i?=", "咨询"),
    ("with a language", "=?utf-8*zh?B?5ZKo6K+i?=", "咨询"),
    ("without end", "=?utf-8?B?5ZKo6K+i", "咨询"),
    ("broken base64", "=?utf-8?B?5ZKo6K+i!5Z?=", "咨询\ufffd"),
]


@pytest.mark.parametrize(("sent", "read"), [case[1:] for case in WORDS], ids=[case[0] for case in WORDS])
def test_encoded_words(sent: str, read: str) -> None:
    assert decode_words(sent.replace("\r\n", "")) == read


# label, header value, file name
NAMES: list[tuple[str, str, str]] = [
    ("plain", 'attachment; filename="a b.pdf"', "a b.pdf"),
    ("a semicolon inside", 'attachment; filename="a;b.pdf"', "a;b.pdf"),
    ("without quotes", "attachment; filename=合同.pdf", "合同.pdf"),
    ("no closing quote", 'attachment; filename="a.pdf', "a.pdf"),
    ("an encoded word", 'attachment; filename="=?utf-8?B?5ZCI5ZCM?=.pdf"', "合同.pdf"),
    ("RFC 2231", "attachment; filename*=UTF-8''%E5%90%88%E5%90%8C.pdf", "合同.pdf"),
    ("RFC 2231 in GBK", "attachment; filename*=gb2312''%BA%CF%CD%AC.pdf", "合同.pdf"),
    ("continued out of order", "attachment; filename*1=B.pdf; filename*0=A", "AB.pdf"),
    ("cut inside a character", "a; filename*0*=utf-8''%E5%90; filename*1*=%88; filename*2=.pdf", "合.pdf"),
    ("words in continuations", 'a; filename*0="=?utf-8?B?5ZCI"; filename*1="5ZCM?=.pdf"', "合同.pdf"),
    ("both at once", "a; filename=x.pdf; filename*=utf-8''%E5%90%88.pdf", "合.pdf"),
    ("both, the second broken", "a; filename=x.pdf; filename*=utf-8''%E5%90.pdf", "x.pdf"),
    ("the star without its charset", "a; filename*=合同.pdf", "合同.pdf"),
]


@pytest.mark.parametrize(("value", "name"), [case[1:] for case in NAMES], ids=[case[0] for case in NAMES])
def test_file_names_as_programs_write_them(value: str, name: str) -> None:
    assert parameters(value)["filename"] == name


# label, as sent, cleaned
CLEANED: list[tuple[str, str, str]] = [
    ("a path", "C:\\tmp\\..\\a.pdf", "a.pdf"),
    ("only dots", "../..", ""),
    ("control and direction signs", "a\x00\u202egpj.exe\n", "agpj.exe"),
    ("too long", "长" * 200 + ".pdf", "长" * (NAME_MAX - 4) + ".pdf"),
    ("escapes without a star", "%E5%90%88.pdf", "合.pdf"),
    ("a true per cent sign", "50%.pdf", "50%.pdf"),
]


@pytest.mark.parametrize(("sent", "name"), [case[1:] for case in CLEANED], ids=[case[0] for case in CLEANED])
def test_a_name_is_cleaned(sent: str, name: str) -> None:
    assert clean_name(sent) == name


# label, encoded, decoded, whether all was well
BASE64: list[tuple[str, bytes, bytes, bool]] = [
    ("whole", b"aGVs\r\nbG8=\r\n", b"hello", True),
    ("cut off", b"aGVsbG8", b"hello", True),
    ("one sign too few", b"aGVsbG8=aGVsb", b"hellohel", False),
    ("a strange sign", b"aGVs*bG8gaGVsbG8gaGVsbG8=", b"hello hello hello", False),
    ("several one after the other", b"aGU=bGxv", b"hello", True),
    ("none at all", "不是编码".encode(), "不是编码".encode(), False),
]


@pytest.mark.parametrize(("sent", "body", "whole"), [case[1:] for case in BASE64], ids=[case[0] for case in BASE64])
def test_base64_as_far_as_it_goes(sent: bytes, body: bytes, whole: bool) -> None:
    assert base64_bytes(sent) == (body, whole)


# label, raw, bodies of the children, flaws of the top
TREES: list[tuple[str, bytes, list[bytes], set[str]]] = [
    ("whole", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n1\n--b\n\n2\n--b--\n", [b"1", b"2"], set()),
    ("CRLF", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n1\r\n--b--\r\n", [b"1"], set()),
    ("no end", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n1\n--b\n\n2", [b"1", b"2"], {"cut_off"}),
    (
        "no boundary parameter",
        b"Content-Type: multipart/mixed\n\n--q\nContent-Type: text/plain\n\n1\n--q--\n",
        [b"1"],
        {"broken_mime"},
    ),
    ("never divided", b"Content-Type: multipart/mixed; boundary=b\n\ntext\n", [b"text\n"], {"broken_mime"}),
    ("another boundary begins alike", b"Content-Type: multipart/x; boundary=b\n\n--b\n\n--bc\n--b--", [b"--bc"], set()),
    (
        "words before and after",
        b"Content-Type: multipart/mixed; boundary=b\n\nbefore\n--b\n\n1\n--b--\nafter\n",
        [b"before", b"1", b"after\n"],
        set(),
    ),
    ("boilerplate", b"Content-Type: multipart/x; boundary=b\n\nmulti-part in MIME\n--b\n\n1\n--b--\n", [b"1"], set()),
    ("a parser of mbox", b"From x Mon\nContent-Type: multipart/x; boundary=b\n\n--b\n\n1\n--b--", [b"1"], set()),
    ("no headers", b"hello", [], {"broken_mime"}),
]


@pytest.mark.parametrize(("raw", "bodies", "flaws"), [case[1:] for case in TREES], ids=[case[0] for case in TREES])
def test_the_tree(raw: bytes, bodies: list[bytes], flaws: set[str]) -> None:
    root = parse(raw, Budget(2))
    assert [child.body for child in root.children] == bodies
    assert root.flaws == flaws


def test_headers_are_unfolded_and_read_in_any_set() -> None:
    root = parse("Subject: 一\n 二\nX-A: 1\nx-a: 2\nBroken line\nTo: a@b.example\n\ntext".encode("gbk"), Budget(2))
    assert root.headers.first("subject") == "一 二"
    assert root.headers.all("X-A") == ("1", "2 Broken line"), "a line without its blank is joined, not lost"
    assert root.headers.first("To") == "a@b.example"
    assert root.body == b"text"


def test_a_body_without_a_blank_line_before_it_is_kept() -> None:
    root = parse("Subject: x\n尊敬的领导\n".encode(), Budget(2))
    assert root.body == "尊敬的领导\n".encode()


def test_quoted_printable_is_read_beyond_its_damage() -> None:
    node = parse(b"Content-Transfer-Encoding: quoted-printable\n\na=3Db=ZZ=\nc", Budget(2))
    assert node.decoded() == b"a=b=ZZc"
    assert node.flaws == {"broken_mime"}


@pytest.mark.parametrize("count", [45, 2000])
def test_too_deep_is_too_costly(count: int) -> None:
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(count))
    with pytest.raises(TooCostly):
        parse(raw, Budget(5))


def test_time_used_up_is_too_costly() -> None:
    with pytest.raises(TooCostly):
        parse(b"Subject: x\n\n", Budget(-1))
