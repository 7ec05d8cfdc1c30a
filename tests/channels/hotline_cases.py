"""What hotlines send: orders the door must refuse, each at its field, orders it must take, and mutants of one."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from channels.hotline import ORDERS_MAX
from petition.arrival import Arrival
from petition.people import Gender, Person
from petition.petition import Form, Purpose

MAX_BODY = 200_000
SAMPLE = Path(__file__).parent.parent / "samples/hotline/order.json"
GOOD: dict[str, Any] = json.loads(SAMPLE.read_bytes())


def order(**changes: Any) -> dict[str, Any]:
    return {**GOOD, **changes}


def bare(**fields: Any) -> dict[str, Any]:
    return {"order_no": "GD-1234", "content": "楼道灯坏了半个月", **fields}


def caller(**fields: Any) -> dict[str, Any]:
    return bare(caller=fields)


# label, body, status, code, field path and its code
REFUSED: list[tuple[str, object, int, str, str, str]] = [
    ("no JSON", b"{", 400, "unreadable", "", ""),
    ("empty", b"", 400, "unreadable", "", ""),
    ("not UTF-8", b'{"order_no":"\xff\xff\xff\xff"}', 400, "unreadable", "", ""),
    ("10000 deep", b"[" * 10_000 + b"]" * 10_000, 400, "unreadable", "", ""),
    ("a number of 6000 digits", b'{"order_no":' + b"9" * 6000 + b"}", 400, "unreadable", "", ""),
    ("a list", [GOOD], 422, "invalid", "order", "wrong_type"),
    ("a text", "GD", 422, "invalid", "order", "wrong_type"),
    ("null", b"null", 422, "invalid", "order", "wrong_type"),
    ("nothing in it", {}, 422, "invalid", "content", "missing"),
    ("no number", {"content": "没有编号"}, 422, "invalid", "order_no", "missing"),
    ("number of 3 signs", order(order_no="123"), 422, "invalid", "order_no", "pattern"),
    ("number of 61 signs", order(order_no="1" * 61), 422, "invalid", "order_no", "pattern"),
    ("a blank in the number", order(order_no="GD 123"), 422, "invalid", "order_no", "pattern"),
    ("# in the number", order(order_no="GD-1#0123456789abcdef"), 422, "invalid", "order_no", "pattern"),
    ("a line break after the number", order(order_no="GD-123\n"), 422, "invalid", "order_no", "pattern"),
    ("number as a number", order(order_no=12345), 422, "invalid", "order_no", "wrong_type"),
    ("unknown field", order(titel="x"), 422, "invalid", "titel", "unknown_field"),
    ("unknown field inside", caller(nmae="x"), 422, "invalid", "caller.nmae", "unknown_field"),
    ("a field twice", b'{"order_no":"GD-1","content":"aa","content":"bb"}', 422, "invalid", "", "unknown_field"),
    ("caller as text", order(caller="张示例"), 422, "invalid", "caller", "wrong_type"),
    ("content of blanks", order(content="   "), 422, "invalid", "content", "too_short"),
    ("content too long", order(content="长" * 100_001), 413, "too_large", "", ""),
    ("NUL", order(content="a\0b"), 422, "invalid", "content", "unseen"),
    ("half a character", b'{"order_no":"GD-1","content":"\\ud83d aa"}', 422, "invalid", "content", "unseen"),
    ("turned text inside", caller(name="张\u202e示例"), 422, "invalid", "caller.name", "unseen"),
    ("a time without zone", order(started_at="2026-11-22T09:12:00"), 422, "invalid", "started_at", "time"),
    ("a time as words", order(started_at="今天"), 422, "invalid", "started_at", "time"),
    ("a time as a list", order(ended_at=[]), 422, "invalid", "ended_at", "time"),
    ("a call next week", order(started_at="2026-11-29T09:12:00+08:00"), 422, "invalid", "started_at", "out_of_range"),
    ("the year 1", order(started_at="0001-01-01T00:00:00+14:00"), 422, "invalid", "started_at", "out_of_range"),
    ("the year 9999", order(ended_at="9999-12-31T23:59:59-12:00"), 422, "invalid", "ended_at", "out_of_range"),
    ("ended before", order(ended_at="2026-11-22T09:11:59+08:00"), 422, "invalid", "ended_at", "out_of_range"),
    ("region of nowhere", order(place_region="999999"), 422, "invalid", "place_region", "region"),
    ("region in words", order(place_region="兰州"), 422, "invalid", "place_region", "pattern"),
    ("unknown kind", order(kind="吐槽"), 422, "invalid", "kind", "unknown_value"),
    ("unknown urgency", order(urgency="马上"), 422, "invalid", "urgency", "unknown_value"),
    ("score 6", order(callback_score=6), 422, "invalid", "callback_score", "out_of_range"),
    ("score 0", order(callback_score=0), 422, "invalid", "callback_score", "out_of_range"),
    ("score 1e400", b'{"order_no":"GD-1","content":"aa","callback_score":1e400}', 422, "invalid", "callback_score", ""),
    ("score as text", order(callback_score="5"), 422, "invalid", "callback_score", "wrong_type"),
    ("yes for true", order(confidential="yes"), 422, "invalid", "confidential", "wrong_type"),
    ("the house's own word as line", order(line="supplement:1"), 422, "invalid", "line", "pattern"),
    ("batch of nothing", {"orders": []}, 422, "invalid", "orders", "too_short"),
    ("batch too long", {"orders": [1] * (ORDERS_MAX + 1)}, 422, "invalid", "orders", "too_long"),
    ("batch as an object", {"orders": {}}, 422, "invalid", "orders", "wrong_type"),
    ("batch with more", {"orders": [GOOD], "title": "x"}, 422, "invalid", "order", "unknown_field"),
    ("too large", b" " * (MAX_BODY + 1), 413, "too_large", "", ""),
]


def person(arrival: Arrival) -> Person:
    return arrival.statement.petitioners[0]


# label, body, what to look at, what is wanted
ACCEPTED: list[tuple[str, dict[str, Any], Callable[[Arrival], object], object]] = [
    ("a hotline's order", GOOD, lambda a: (a.channel, a.form, a.raw_id), ("hotline", Form.HOTLINE, GOOD["order_no"])),
    ("the line is the source", GOOD, lambda a: a.sub_source, "12345"),
    ("a line of a district", order(line="12345城关区"), lambda a: a.sub_source, "12345城关区"),
    ("canonical bytes", {"order_no": "GD-1", "content": "aa"}, lambda a: a.raw, b'{"content":"aa","order_no":"GD-1"}'),
    ("Han in the number", bare(order_no="兰热〔2026〕1"), lambda a: len(a.raw_id), 9),
    ("help is an appeal", GOOD, lambda a: a.statement.purpose, Purpose.APPEAL),
    ("complaint", order(kind="投诉"), lambda a: a.statement.purpose, Purpose.APPEAL),
    ("question", order(kind="咨询"), lambda a: a.statement.purpose, Purpose.CONSULT),
    ("report", order(kind="举报"), lambda a: a.statement.purpose, Purpose.ACCUSATION),
    ("proposal", order(kind="建议"), lambda a: a.statement.purpose, Purpose.SUGGESTION),
    ("praise is no purpose", order(kind="表扬"), lambda a: a.statement.purpose, None),
    ("the rest", order(kind="其他"), lambda a: a.statement.purpose, None),
    ("place", GOOD, lambda a: (a.statement.problem_region, a.statement.occur_place), ("620102", "演示小区3号楼")),
    ("secrecy not said", bare(), lambda a: a.statement.confidential, None),
    ("secrecy wanted", bare(confidential=True), lambda a: a.statement.confidential, True),
    ("name and gender", GOOD, lambda a: (person(a).name, person(a).gender), ("张示例", Gender.MALE)),
    ("mobile in its normal form", GOOD, lambda a: person(a).mobile, "+8615400000001"),
    ("a wrong mobile is kept", caller(mobile="1540000"), lambda a: person(a).mobile, "1540000"),
    ("a wrong ID is kept", caller(id_no="620199199007260028"), lambda a: person(a).id_no, "620199199007260028"),
    ("the calling number", bare(caller_number="15400000005"), lambda a: person(a).mobile, "+8615400000005"),
    ("also a landline", bare(caller_number="0931-8000000"), lambda a: person(a).landline, "0931-8000000"),
    ("a hidden number is none", bare(caller_number="匿名"), lambda a: a.statement.petitioners, ()),
    ("and stands in the lines", bare(caller_number="匿名"), lambda a: "来电号码：匿名" in a.statement.content, True),
    ("nobody", bare(), lambda a: a.statement.petitioners, ()),
    ("nothing more is nothing more", bare(), lambda a: a.statement.content, "楼道灯坏了半个月"),
    ("the day of the call", order(started_at="2026-11-20T23:00:00+00:00", ended_at=None), lambda a: a.petition_date,
     date(2026, 11, 21)),
    ("no call, today", bare(), lambda a: a.petition_date, date(2026, 11, 22)),
    ("a clock ahead", bare(started_at="2026-11-23T00:10:00+08:00"), lambda a: a.petition_date, date(2026, 11, 22)),
    ("a result of many lines", bare(result="一\n工单编号：X"), lambda a: a.statement.content.splitlines()[-1],
     "办理结果：一 工单编号：X"),
]  # fmt: skip


# The lines under the content of GOOD.
LINES = [
    "诉求类型：求助",
    "紧急程度：紧急",
    "坐席：S017",
    "来电号码：15400000005",
    "通话开始：2026-11-22 09:12:00",
    "通话结束：2026-11-22 09:18:30",
    "录音编号：REC-20261122-0917",
    "三方通话单位：示例供热公司",
    "三方通话达成一致：是",
    "三方通话记录：单位答应当日上门",
    "要求回复：是",
    "要求回访：是",
    "办理结果：已转办",
    "回访评分：4分（满分5分）",
]

FIRST = bare(order_no="GD-0001")
BATCH: list[object] = [
    FIRST,
    {"order_no": "GD-0002"},
    None,
    bare(order_no="GD-LATER"),
    {**FIRST, "content": "后来改过的内容"},
    bare(order_no="GD-FAULT"),
    bare(order_no="GD-OFTEN"),
    FIRST,
    {"orders": [FIRST]},
]

PIECES = (
    b"\0",
    b"\xff",
    b'"',
    b"{",
    b"}",
    b"[",
    b",",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"1e999",
    b"-",
    b"\xe3\x80\x87",
)
VALUES: tuple[object, ...] = (None, True, 0, -1, 1e308, "", "〇", "x" * 300, [], {}, [[]], "\0", "\ud800", "2026-11-22")


def mutant(chance: random.Random) -> bytes:
    """A good order with a few bytes or a few values changed."""
    if chance.random() < 0.5:
        body = bytearray(json.dumps(GOOD, ensure_ascii=False).encode())
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(body))
            match chance.randrange(4):
                case 0:
                    body[at] = chance.randrange(256)
                case 1:
                    body[at:at] = chance.choice(PIECES)
                case 2:
                    del body[at : at + chance.randint(1, 30)]
                case _:
                    body[at:at] = body[chance.randrange(len(body)) :][: chance.randint(1, 60)]
        return bytes(body)
    changed = json.loads(SAMPLE.read_bytes())
    for _ in range(chance.randint(1, 2)):
        target = chance.choice([changed, changed, *(one for one in changed.values() if isinstance(one, dict))])
        name = chance.choice([*target, "titel"])
        if chance.random() < 0.4:
            target.pop(name, None)
        else:
            target[name] = chance.choice(VALUES)
    return json.dumps(changed).encode()
