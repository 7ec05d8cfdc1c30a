"""The words of text messages: what is a command and what is a petition, and that replies fit a phone."""

from __future__ import annotations

import pytest

from channels.sms_words import (
    EMPTY,
    FAILED,
    HELP,
    REPLY_MAX,
    STARTED,
    STOPPED,
    Word,
    added,
    known,
    order_of,
    registered,
)

NUMBER, CODE = "620000D2026112200001K", "7M2K-9QXA-4TBD"

# label, text, word (None: a petition), number, code
ORDERS: list[tuple[str, str, Word | None, str, str]] = [
    ("plain", f"CX {NUMBER} {CODE}", Word.QUERY, NUMBER, CODE),
    ("small letters", f"cx {NUMBER.lower()} {CODE.lower()}", Word.QUERY, NUMBER, CODE),
    (
        "full width",
        "ＣＸ　６２００００Ｄ２０２６１１２２００００１Ｋ，７Ｍ２Ｋ９ＱＸＡ４ＴＢＤ",
        Word.QUERY,
        NUMBER,
        CODE,
    ),
    ("Chinese word", f"查询{NUMBER}，{CODE}", Word.QUERY, NUMBER, CODE),
    ("pinyin and colons", f"ChaXun：{NUMBER}:{CODE}", Word.QUERY, NUMBER, CODE),
    ("semicolons", f"CX;{NUMBER}；{CODE}。", Word.QUERY, NUMBER, CODE),
    ("no separators", f"CX{NUMBER}{CODE}", Word.QUERY, NUMBER, CODE),
    ("number in groups", f"CX 620000-D-20261122-00001-K {CODE}", Word.QUERY, NUMBER, CODE),
    ("code in groups", f"CX {NUMBER} 7M2K 9QXA 4TBD", Word.QUERY, NUMBER, CODE),
    ("on two lines", f"CX {NUMBER}\n{CODE}", Word.QUERY, NUMBER, CODE),
    ("copied from the reply", f"“CX 编号{NUMBER}，查询码{CODE}”", Word.QUERY, NUMBER, CODE),
    ("O for 0 in the code", f"CX {NUMBER} 7M2K-9QXA-4TBO", Word.QUERY, NUMBER, "7M2K-9QXA-4TB0"),
    ("nothing given", "CX", Word.QUERY, "", ""),
    ("a question", "查询？", Word.QUERY, "", ""),
    ("the example itself", "CX 编号 查询码", Word.QUERY, "", ""),
    ("a wrong number", "CX 123 ABC", Word.QUERY, "", "123A-BC"),
    *(
        (f"stop: {text}", text, Word.STOP, "", "")
        for text in ("STOP", "td", "Ｔ", "t ", "退订", "退订。", "【取消】", "R", "拒收")
    ),
    *((f"start: {text}", text, Word.START, "", "") for text in ("start", "订阅", "订阅！", "恢复")),
    *((f"help: {text}", text, Word.HELP, "", "") for text in ("help", "帮助", "bz", "?", "？")),
    ("a question that starts with it", "查询我家低保什么时候发", None, "", ""),
    ("a year after it", "查询2026年征地补偿款", None, "", ""),
    ("a story after number and code", f"CX {NUMBER} {CODE} 为什么还没有人来", None, "", ""),
    ("stop inside", "请帮我退订这个强行扣费的套餐", None, "", ""),
    ("cancel inside", "取消低保不合理", None, "", ""),
    ("T inside", "T字路口没有红绿灯", None, "", ""),
    ("help with a cause", "帮助老人", None, "", ""),
    ("English", "CX people do not answer", None, "", ""),
    ("a word that begins like it", "CXY123", None, "", ""),
    ("signs without end", "CX " + "1" * 500, None, "", ""),
    ("nothing", "", None, "", ""),
]


@pytest.mark.parametrize(
    ("text", "word", "number", "code"), [case[1:] for case in ORDERS], ids=[case[0] for case in ORDERS]
)
def test_orders(text: str, word: Word | None, number: str, code: str) -> None:
    order = order_of(text)
    if word is None:
        assert order is None
    else:
        assert order is not None
        assert (order.word, order.number, order.code) == (word, number, code)


def test_every_reply_fits_and_is_whole() -> None:
    long = "620000D20261122123456789012K"
    said = [EMPTY, FAILED, HELP, STARTED, STOPPED, added(long), known(long), known(""), registered(long, CODE)]
    assert all(len(words) <= REPLY_MAX and words.endswith("。") for words in said)
