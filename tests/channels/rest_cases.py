"""What people and programs send to the REST door: bodies it must refuse, each at its field, and bodies it must take."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from petition.arrival import Arrival
from petition.people import Gender, IdType, Role
from petition.petition import Form, Purpose

MAX_BODY, MAX_UPLOAD = 20_000, 50_000
GOOD: dict[str, Any] = {
    "title": "建议在样例小学门口增设红绿灯",
    "content": "样例小学门口是丁字路口,上放学时段车多人多。",
    "problem_region": "620105",
    "petitioners": [{"name": "李演示", "id_no": "620199199007260029", "mobile": "154 0000 0002"}],
}


def person(**changes: Any) -> dict[str, Any]:
    return {**GOOD, "petitioners": [changes]}


# label, body, status, code, field path and its code
REFUSED: list[tuple[str, object, int, str, str, str]] = [
    ("no content", {"title": "只有标题"}, 422, "invalid", "content", "missing"),
    ("one sign is no content", {"content": "啊"}, 422, "invalid", "content", "too_short"),
    ("content as a number", {"content": 5}, 422, "invalid", "content", "wrong_type"),
    ("content as null", {"content": None}, 422, "invalid", "content", "wrong_type"),
    ("title as a list", {**GOOD, "title": ["a"]}, 422, "invalid", "title", "wrong_type"),
    ("title too long", {**GOOD, "title": "题" * 201}, 422, "invalid", "title", "too_long"),
    ("unknown field", {**GOOD, "titel": "x"}, 422, "invalid", "titel", "unknown_field"),
    ("unknown field inside", person(nmae="x"), 422, "invalid", "petitioners.0.nmae", "unknown_field"),
    ("unknown field of a bad name", {**GOOD, "\u202e\x00<b>": 1}, 422, "invalid", "???b?", "unknown_field"),
    ("unknown form", {**GOOD, "form": "FAX"}, 422, "invalid", "form", "unknown_value"),
    ("unknown purpose", {**GOOD, "purpose": "PRAISE"}, 422, "invalid", "purpose", "unknown_value"),
    ("purpose in Chinese", {**GOOD, "purpose": "申诉求决"}, 422, "invalid", "purpose", "unknown_value"),
    ("future date", {**GOOD, "petition_date": "2026-11-23"}, 422, "invalid", "petition_date", "future"),
    ("no such day", {**GOOD, "petition_date": "2026-02-30"}, 422, "invalid", "petition_date", "date"),
    ("date as seconds", {**GOOD, "petition_date": 1795000000}, 422, "invalid", "petition_date", "date"),
    ("headcount zero", {**GOOD, "headcount": 0}, 422, "invalid", "headcount", "out_of_range"),
    ("headcount true", {**GOOD, "headcount": True}, 422, "invalid", "headcount", "wrong_type"),
    ("headcount as text", {**GOOD, "headcount": "18"}, 422, "invalid", "headcount", "wrong_type"),
    ("headcount broken", {**GOOD, "headcount": 1.5}, 422, "invalid", "headcount", "wrong_type"),
    (
        "headcount a googol",
        b'{"content":"abcd","headcount":1' + b"0" * 100 + b"}",
        422,
        "invalid",
        "headcount",
        "out_of_range",
    ),
    ("headcount 1e400", b'{"content":"abcd","headcount":1e400}', 422, "invalid", "headcount", "wrong_type"),
    ("headcount NaN", b'{"content":"abcd","headcount":NaN}', 422, "invalid", "headcount", "wrong_type"),
    ("headcount -Infinity", b'{"content":"abcd","headcount":-Infinity}', 422, "invalid", "headcount", "wrong_type"),
    ("headcount of 6000 digits", b'{"content":"abcd","headcount":' + b"9" * 6000 + b"}", 400, "unreadable", "", ""),
    ("is_public yes", {**GOOD, "is_public": "yes"}, 422, "invalid", "is_public", "wrong_type"),
    ("category in words", {**GOOD, "category": "物业"}, 422, "invalid", "category", "pattern"),
    ("category with a line break", {**GOOD, "category": "03\n"}, 422, "invalid", "category", "pattern"),
    ("region of nowhere", {**GOOD, "problem_region": "999999"}, 422, "invalid", "problem_region", "region"),
    ("region in words", {**GOOD, "problem_region": "兰州"}, 422, "invalid", "problem_region", "pattern"),
    ("empty request", {**GOOD, "requests": [""]}, 422, "invalid", "requests.0", "too_short"),
    ("21 requests", {**GOOD, "requests": ["退款"] * 21}, 422, "invalid", "requests", "too_long"),
    ("petitioners as an object", {**GOOD, "petitioners": {}}, 422, "invalid", "petitioners", "wrong_type"),
    ("petitioner as text", {**GOOD, "petitioners": ["张示例"]}, 422, "invalid", "petitioners.0", "wrong_type"),
    (
        "six representatives",
        {**GOOD, "petitioners": [{"role": "REPRESENTATIVE"}] * 6},
        422,
        "invalid",
        "petitioners",
        "representatives",
    ),
    ("name of 300 signs", person(name="长" * 300), 422, "invalid", "petitioners.0.name", "too_long"),
    (
        "ID with a wrong check digit",
        person(id_no="620199199007260028"),
        422,
        "invalid",
        "petitioners.0.id_no",
        "id_check",
    ),
    ("ID too short", person(id_no="6201991990"), 422, "invalid", "petitioners.0.id_no", "id_length"),
    ("ID born tomorrow", person(id_no="620199202611230013"), 422, "invalid", "petitioners.0.id_no", ""),
    ("mobile too short", person(mobile="1540000"), 422, "invalid", "petitioners.0.mobile", "mobile"),
    ("landline without area", person(landline="12"), 422, "invalid", "petitioners.0.landline", "landline"),
    ("mail without a host", person(email="li@"), 422, "invalid", "petitioners.0.email", "email"),
    ("wrong company code", person(uscc="91620199MA7FAKE016"), 422, "invalid", "petitioners.0.uscc", ""),
    ("NUL in the text", {**GOOD, "content": "路灯\x00坏了"}, 422, "invalid", "content", "unseen"),
    ("text turned round", {**GOOD, "title": "退款\u202e元001"}, 422, "invalid", "title", "unseen"),
    ("isolate in a name", person(name="张\u2066示例"), 422, "invalid", "petitioners.0.name", "unseen"),
    ("replacement sign", {**GOOD, "content": "路\ufffd坏了"}, 422, "invalid", "content", "unseen"),
    ("line break in a name", person(name="张示例\x1b[2J"), 422, "invalid", "petitioners.0.name", "unseen"),
    ("half a character", b'{"content":"ab\\ud800cd"}', 400, "unreadable", "", ""),
    ("invalid UTF-8", b'{"content":"\xc4\xfa\xba\xc3"}', 400, "unreadable", "", ""),
    ("UTF-16", json.dumps(GOOD).encode("utf-16"), 400, "unreadable", "", ""),
    ("cut off", b'{"content":"abcd"', 400, "unreadable", "", ""),
    ("two documents", b'{"content":"abcd"}{"content":"abcd"}', 400, "unreadable", "", ""),
    ("nothing", b"", 400, "unreadable", "", ""),
    ("a list", b"[]", 422, "invalid", "petition", "wrong_type"),
    ("null", b"null", 422, "invalid", "petition", "wrong_type"),
    ("100,000 brackets", b"[" * 15_000, 400, "unreadable", "", ""),
    ("deep objects", b'{"content":' * 1_000 + b"1" + b"}" * 1_000, 400, "unreadable", "", ""),
    ("too large", b'{"content":"' + b"a" * MAX_BODY + b'"}', 413, "too_large", "", ""),
]

# label, body, what must stand in the arrival
ACCEPTED: list[tuple[str, object, Callable[[Arrival], object], object]] = [
    ("the least", {"content": "路灯坏了"}, lambda a: a.statement.content, "路灯坏了"),
    ("an app", GOOD, lambda a: (a.channel, a.form, a.raw_type), ("rest", Form.APP, "application/json")),
    ("a mini programme", {**GOOD, "form": "WECHAT"}, lambda a: a.form, Form.WECHAT),
    ("mobile in its normal form", GOOD, lambda a: a.statement.petitioners[0].mobile, "+8615400000002"),
    ("an ID says its kind", GOOD, lambda a: a.statement.petitioners[0].id_type, IdType.RESIDENT_ID),
    (
        "a passport is not checked",
        person(id_type="PASSPORT", id_no="E1"),
        lambda a: a.statement.petitioners[0].id_no,
        "E1",
    ),
    (
        "role and gender",
        person(role="AGENT", gender="MALE"),
        lambda a: (a.statement.petitioners[0].role, a.statement.petitioners[0].gender),
        (Role.AGENT, Gender.MALE),
    ),
    ("purpose", {**GOOD, "purpose": "SUGGESTION"}, lambda a: a.statement.purpose, Purpose.SUGGESTION),
    ("not said is not guessed", GOOD, lambda a: (a.statement.purpose, a.statement.confidential), (None, None)),
    ("today", {**GOOD, "petition_date": "2026-11-22"}, lambda a: a.petition_date, date(2026, 11, 22)),
    ("an earlier day", {**GOOD, "petition_date": "2026-11-01"}, lambda a: a.petition_date, date(2026, 11, 1)),
    ("no day is today", GOOD, lambda a: a.petition_date, date(2026, 11, 22)),
    ("rare Han", person(name="𠮷示例"), lambda a: a.statement.petitioners[0].name, "𠮷示例"),
    ("emoji", {**GOOD, "content": "谢谢👨‍👩‍👧‍👦❤️"}, lambda a: a.statement.content, "谢谢👨‍👩‍👧‍👦❤️"),
    ("a pair of surrogates", b'{"content":"\\ud83d\\ude00 ok"}', lambda a: a.statement.content, "😀 ok"),
    ("a byte order mark is not JSON's", b'{"content":"abcd"}', lambda a: a.raw, b'{"content":"abcd"}'),
    ("line breaks of Windows", {"content": "一\r\n二"}, lambda a: a.statement.content, "一\n二"),
    (
        "the last of two equal keys",
        b'{"content":"first","content":"second"}',
        lambda a: (a.statement.content, a.raw),
        ("second", b'{"content":"first","content":"second"}'),
    ),
    ("500 people", {**GOOD, "petitioners": [{"name": "示例"}] * 500}, lambda a: len(a.statement.petitioners), 500),
    (
        "accused",
        {**GOOD, "accused": [{"unit": "甘肃示例物业有限公司"}]},
        lambda a: a.statement.accused[0].unit,
        "甘肃示例物业有限公司",
    ),
]
