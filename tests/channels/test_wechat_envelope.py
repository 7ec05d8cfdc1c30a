"""The envelope: vectors of another implementation, what was tampered with, and XML that bites."""

from __future__ import annotations

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from channels.wechat_envelope import Cipherer, fields_of, signature, signed, xml_of
from petition.errors import Unreadable
from tests.fakes.wechat import AES_KEY, APP_ID, TOKEN, cipherer

HEAD = b"0123456789abcdef"
# label, message, cipher text, signature with 1795312200 and nonce-1: made once with wechatpy 1.8.18
VECTORS: list[tuple[str, str, str, str]] = [
    (
        "short",
        "<xml><a>1</a></xml>",
        "03yD1cToyDxOifFgK2WNiiVZTs4nGFOZipHlYUiDr5FCAm7iH+bEPpmV6xMbOko47pNT1O3vC3fc8gwREaO0XA==",
        "43dfdedfe97af36f41e791a6329729cc0de4d14d",
    ),
    (
        "Chinese",
        "<xml><Content><![CDATA[工资\n]]></Content></xml>",
        "03yD1cToyDxOifFgK2WNipqYj8AiqZI4j3WRc2xPRe4i7GtoUQ0uOTqJn37HqKz7q4xAHeuknnaTkoX3jnJIzWUax3JO/tTsdEEOfrQSByx35V"
        "AsM4h3JMeofe7x27Yo",
        "a43efc277586e385cca806be6eab55d5cfc1febf",
    ),
    (
        "nothing",
        "",
        "03yD1cToyDxOifFgK2WNisqGmkeYpKpTJ/8mewSS2d41Z8ls/b9+3jaHo99bODUYoz1okHquuCEYnUB2Ye/EfQ==",
        "1f91e228053b674892f0588b71f7e42997416fc1",
    ),
    (
        "a whole block of padding",
        "x" * 60,
        "03yD1cToyDxOifFgK2WNirBfawWAyGQLHWoIFQcVOS+B+nV+j7hFYlCNyD7H1eKl2waPMCpkXsVqNazqv9pR5ruAgNflfIk87TbAtKQslePxPU"
        "GyIZS6YG5SdvI0qLpOTvcD7t0WzInQnJbPMO1AIDniUryyZyWbddjdt8IzYxY=",
        "4f9f5ac0a7e1f3b9b04a4ebac467d9be73260c51",
    ),
]


@pytest.mark.parametrize(("message", "sealed", "mark"), [case[1:] for case in VECTORS], ids=[c[0] for c in VECTORS])
def test_vectors_of_another_implementation(message: str, sealed: str, mark: str) -> None:
    assert cipherer().seal(message.encode(), HEAD) == sealed
    assert cipherer().open(sealed) == message.encode()
    assert signature(TOKEN, "1795312200", "nonce-1", sealed) == mark
    assert signed(mark, TOKEN, "1795312200", "nonce-1", sealed)
    assert not signed(mark, TOKEN, "1795312200", "nonce-2", sealed)


def test_the_plain_signature_as_openssl_works_it_out() -> None:
    # printf '1795312200nonce-1token-of-the-tests' | openssl sha1
    assert signature(TOKEN, "1795312200", "nonce-1") == "a15fb9a45e264fb91a43223eaee0c11627104240"
    assert not signed("\udcff", TOKEN)


# label, cipher text
BROKEN: list[tuple[str, str]] = [
    ("empty", ""),
    ("no base 64", "%%%"),
    ("not ASCII", "密文"),
    ("half a block", base64.b64encode(bytes(16)).decode()),
    ("nobody's", base64.b64encode(bytes(64)).decode()),
    ("cut", VECTORS[1][2][:-44]),
    ("of another account", Cipherer(base64.b64decode(AES_KEY + "="), "wxdemo0000000002").seal(b"<xml/>")),
    ("with another key", Cipherer(bytes(32), APP_ID).seal(b"<xml/>")),
]


@pytest.mark.parametrize("sealed", [case[1] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_what_was_not_sealed_for_us_does_not_open(sealed: str) -> None:
    with pytest.raises(Unreadable):
        cipherer().open(sealed)


@given(st.binary(max_size=400))
def test_sealed_and_opened_is_the_same(message: bytes) -> None:
    assert cipherer().open(cipherer().seal(message)) == message


@given(st.binary(max_size=200))
def test_bytes_of_strangers_open_to_nothing_else(body: bytes) -> None:
    with pytest.raises(Unreadable):
        cipherer().open(base64.b64encode(body).decode())


_LAUGHS = "<!DOCTYPE x [<!ENTITY a 'ha'>" + "".join(f"<!ENTITY a{n} '&a;&a;'>" for n in range(20)) + "]>"
# label, body
BITES: list[tuple[str, bytes]] = [
    ("billion laughs", f"{_LAUGHS}<xml><Content>&a19;</Content></xml>".encode()),
    ("a file", b"<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/hostname'>]><xml><Content>&f;</Content></xml>"),
    ("a fetched document type", b"<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x.dtd'><xml/>"),
    ("an unknown entity", b"<xml><Content>&nbsp;</Content></xml>"),
    ("empty", b""),
    ("JSON", b"{}"),
    ("cut off", b"<xml><Content>abc"),
    ("two roots", b"<xml/><xml/>"),
    ("too deep", b"<a>" * 9 + b"</a>" * 9),
    ("too many", b"<xml>" + b"<a/>" * 400 + b"</xml>"),
    ("an unknown encoding", b'<?xml version="1.0" encoding="klingon"?><xml/>'),
]


@pytest.mark.parametrize("body", [case[1] for case in BITES], ids=[case[0] for case in BITES])
def test_xml_that_bites_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        fields_of(body)


# label, body, leaves
READ: list[tuple[str, bytes, dict[str, str]]] = [
    ("CDATA", b"<xml><A><![CDATA[<b>&amp;]]></A></xml>", {"A": "<b>&amp;"}),
    ("escaped", b"<xml><A>1 &lt; 2</A></xml>", {"A": "1 < 2"}),
    ("nested", b"<xml><P><L>1</L></P><A>2</A></xml>", {"P.L": "1", "A": "2"}),
    ("the first counts", b"<xml><A>1</A><A>2</A></xml>", {"A": "1"}),
    ("a forbidden sign", b"<xml><A>a\x0bb</A></xml>", {"A": "a\ufffdb"}),
    ("broken UTF-8", b"<xml><A>a\xb5b</A></xml>", {"A": "a\ufffdb"}),
    ("emoji", "<xml><A>😡</A></xml>".encode(), {"A": "😡"}),
]


@pytest.mark.parametrize(("body", "leaves"), [case[1:] for case in READ], ids=[case[0] for case in READ])
def test_leaves(body: bytes, leaves: dict[str, str]) -> None:
    assert fields_of(body) == leaves


@given(st.dictionaries(st.sampled_from("ABC"), st.text(min_size=1, max_size=50)))
@example({"A": "]]>"})
@example({"A": "]]]]>>"})
def test_what_is_written_is_read(fields: dict[str, str]) -> None:
    seen = fields_of(xml_of(fields))
    assert set(seen) <= set(fields)
    for name, words in fields.items():
        if words.isprintable() and words.strip():
            assert seen[name] == words
