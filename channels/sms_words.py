"""Words of text messages (短信指令): what is a command and not a petition, and what is said back.

CX 620000D2026112200001K 7M2K-9QXA-4TBD   ->  Order(Word.QUERY, "620000D2026112200001K", "7M2K-9QXA-4TBD")
查询低保什么时候发                          ->  None, a petition
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from petition.identity import tidy
from petition.numbering import shown_query_code

REPLY_MAX = 500  # signs: seven parts of a long message, more is not read on a phone

_HOW = "发送“CX 编号 查询码”可查进度。"
FAILED = "没有查到，请核对编号和查询码，再按“CX 编号 查询码”发送一次。"
STOPPED = "已记下您的退订，已登记的诉求照常办理。发送“订阅”可恢复。"
STARTED = "已记下您的订阅。发送“退订”可取消。"
HELP = f"请用短信写明时间、地点、经过和您的要求，发来即为登记。{_HOW}"
EMPTY = "没有收到文字，请用短信写明您的诉求后再发送。"


class Word(StrEnum):
    """A command; its value is the stable reason in the ledger, where a command is counted and opens no case."""

    QUERY = "status_query"
    STOP = "opt_out"
    START = "opt_in"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Order:
    """One command. number, code: of a query, empty when they were not given."""

    word: Word
    number: str = ""
    code: str = ""


_WORDS: Mapping[str, Word] = MappingProxyType(
    {
        **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "QUIT", "TD", "T", "R"), Word.STOP),
        **dict.fromkeys(("退订", "取消", "取消订阅", "拒收"), Word.STOP),
        **dict.fromkeys(("START", "UNSTOP", "订阅", "恢复"), Word.START),
        **dict.fromkeys(("HELP", "帮助", "BZ", "?"), Word.HELP),
    }
)
_LONGEST = 200  # no command is longer, however it is written
_CODE = 12  # signs of a query code without hyphens
_QUERY_MAX = 48  # signs of a number and a code together, with room for slips
_EDGES = " 。.!,、;:~\"'“”‘’「」【】[]()<>《》"
_BETWEEN = re.compile(r"[\s,;:、。.!?+/|~\"'“”‘’「」【】\[\]()<>《》]+")
_QUERY = re.compile(r"(?:CX|CHAXUN|查询)(?![A-Z])(.*)", re.DOTALL)
_LABELS = re.compile(r"信访编号|编号|查询码")  # people send the acknowledgement back as it was written
_JOINTS = re.compile(r"[-‐-―−_·]")
_PLAIN = re.compile(r"[0-9A-Z]*")


def order_of(text: str) -> Order | None:
    """The command a text is, in half or full width and any case; None for a petition, also one with such a word in it.

    Never raises. A query is taken as one even when number and code are wrong, so that its sender is told.
    """
    if len(text) > _LONGEST:
        return None
    plain = tidy(text).upper()
    word = _WORDS.get(plain) or _WORDS.get(plain.strip(_EDGES))
    if word is not None:
        return Order(word)
    found = _QUERY.fullmatch(plain.strip(_EDGES))
    return _query(found[1]) if found else None


def _query(rest: str) -> Order | None:
    pieces = [piece for piece in _BETWEEN.split(_JOINTS.sub("", _LABELS.sub(" ", rest))) if piece]
    if not pieces:
        return Order(Word.QUERY)
    whole = "".join(pieces)
    # Whoever goes on in words tells a story; a number has digits at its start.
    if len(whole) > _QUERY_MAX or not _PLAIN.fullmatch(whole) or not re.search("[0-9]", pieces[0]):
        return None
    # The code is the last twelve signs, wherever the blanks are.
    return Order(Word.QUERY, whole[:-_CODE], shown_query_code(whole[-_CODE:]))


def registered(case_no: str, code: str) -> str:
    """The acknowledgement of a new case."""
    return f"您的诉求已登记，编号{case_no}，查询码{code}（请保存）。{_HOW}"


def added(case_no: str) -> str:
    """The acknowledgement of a further part."""
    return f"您补充的内容已加到编号{case_no}的诉求里。{_HOW}"


def known(case_no: str) -> str:
    """For a message that came before; case_no may be empty."""
    return f"您的这条短信此前已经收到，编号{case_no}，不必重发。" if case_no else "您的这条短信此前已经收到，不必重发。"
