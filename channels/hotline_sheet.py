"""The sheet (坐席工单): the fields a seat fills while the caller speaks, and the work order they become."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from channels.hotline_form import LINE, OrderReader, canonical, change_of, statement_of
from channels.hotline_request import JSON, NAME
from petition.arrival import SUPPLEMENT, Arrival
from petition.clock import SHANGHAI, aware
from petition.errors import Invalid, Problem
from petition.petition import Form

# (field, words, how it is asked: line, number, time, area, choice, yes); the paths are those of the work order.
GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "来电人",
        (
            ("caller.name", "姓名", "line"),
            ("caller.gender", "性别", "choice"),
            ("caller.mobile", "手机（与来电号码不同时填写）", "number"),
            ("caller.id_no", "证件号码", "line"),
            ("caller.address", "住址", "line"),
        ),
    ),
    (
        "反映事项",
        (
            ("content", "反映内容", "area"),
            ("demands", "具体诉求", "area"),
            ("title", "标题", "line"),
            ("kind", "诉求类型", "choice"),
            ("urgency", "紧急程度", "choice"),
            ("place_words", "事发地点", "line"),
        ),
    ),
    (
        "要求",
        (
            ("reply_wanted", "要求回复", "yes"),
            ("confidential", "要求保密", "yes"),
            ("callback_wanted", "要求回呼", "yes"),
            ("callback_wish", "回呼时间和事由", "line"),
        ),
    ),
    (
        "三方通话",
        (
            ("three_way.unit", "责任单位", "line"),
            ("three_way.person", "单位接听人", "line"),
            ("three_way.agreed", "达成一致", "yes"),
            ("three_way.note", "约定事项", "area"),
        ),
    ),
    (
        "通话",
        (
            ("caller_number", "来电号码", "number"),
            ("line", "热线", "line"),
            ("started_at", "通话开始", "time"),
            ("ended_at", "通话结束", "time"),
            ("recording_id", "录音编号", "line"),
            ("result", "当场办理结果", "area"),
        ),
    ),
)
CHOICES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "caller.gender": (("MALE", "男"), ("FEMALE", "女")),
    "kind": tuple((kind, kind) for kind in ("求助", "投诉", "举报", "咨询", "建议", "表扬", "其他")),
    "urgency": (("一般", "一般"), ("紧急", "紧急"), ("特急", "特急")),
}
FIELDS = frozenset(
    {field for _, fields in GROUPS for field, _, _ in fields} | {"place_region", "place_find", "join", "text_receipt"}
)
LONGEST = 20_000  # signs of one field of a sheet

_FLAGS = frozenset({"reply_wanted", "confidential", "callback_wanted", "three_way.agreed"})
_NOT_SENT = frozenset({"place_find", "join", "text_receipt", "callback_wish"})
_TIMES = frozenset({"started_at", "ended_at"})
_NOT_IN_LINE = re.compile(r"[^0-9A-Za-z\u4e00-\u9fff -]")
_JOINED = "来电人再次来电，补充如下。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A call as it was taken down. number: the caller's, unmasked, or empty; seat: who wrote; sheet: its name."""

    sheet: str
    call_id: str
    seat: str
    number: str
    created_at: datetime
    fields: Mapping[str, str]


class SheetReader:
    """Turns sheets into arrivals; made once, because building the validator is dear."""

    def __init__(self, known_region: Callable[[str], bool]) -> None:
        self._reader = OrderReader()
        self._known_region = known_region

    def read(self, spoken: Spoken, received_at: datetime) -> Arrival:
        """The arrival; Invalid names every field to mend. The same sheet twice is the same event.

        With the field `join` it is a supplement to that case: the caller must have checked that it may be.
        """
        order = order_of(spoken)
        raw = canonical(order)
        try:
            form = self._reader.read(order, raw, received_at, self._known_region)
        except Invalid as problem:
            raise Invalid(tuple(_told(problem.problems))) from None
        join = spoken.fields.get("join", "")
        return Arrival(
            channel=NAME,
            form=Form.PHONE,
            raw_id=f"seat:{spoken.call_id}:{spoken.sheet}",
            received_at=received_at,
            petition_date=min(aware(form.started_at or received_at), received_at).date(),
            raw=raw,
            raw_type=JSON,
            sub_source=SUPPLEMENT + join if join else form.line,
            statement=change_of(form, _JOINED) if join else statement_of(form),
        )


def joined_to(arrival: Arrival, case_no: str, digest: str) -> Arrival:
    """The same sheet with other words, as a supplement to the case that its first words opened."""
    return replace(arrival, raw_id=f"{arrival.raw_id}#{digest[:16]}", sub_source=SUPPLEMENT + case_no)


def order_of(spoken: Spoken) -> dict[str, Any]:
    """The work order of a sheet: what was typed, where it belongs; empty fields are left out."""
    order: dict[str, Any] = {
        "order_no": f"ZX{spoken.created_at:%Y%m%d}-{spoken.sheet}",
        "seat_id": spoken.seat[:60],
        "content": "",
    }
    number = spoken.number or spoken.fields.get("caller_number", "")
    for name, typed in {**spoken.fields, "caller_number": number}.items():
        words = typed.replace("\r\n", "\n").strip()
        if not words or name in _NOT_SENT or name not in FIELDS:
            continue
        head, _, tail = name.partition(".")
        value: Any = words
        if name in _FLAGS:
            value = words == "yes"
        elif name in _TIMES:
            value = _moment(words)
        elif name == "line":
            value = _NOT_IN_LINE.sub("", words)[:20] or LINE
        if tail:
            order.setdefault(head, {})[tail] = value
        else:
            order[head] = value
    return order


def _moment(typed: str) -> str:
    """A time as a browser types it, with the zone of the house; anything else stays as it is and is refused."""
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=SHANGHAI).isoformat()
    except ValueError:
        return typed


def _told(problems: Iterable[Problem]) -> Iterable[Problem]:
    for one in problems:
        if one.field == "content" and one.code in ("too_short", "missing"):
            yield Problem("content", one.code, "请填写反映内容，至少两个字。")
        elif one.field in _TIMES and one.code == "time":
            yield Problem(one.field, one.code, "请填写日期和时间，例如 2026-11-22 09:12。")
        elif one.field in FIELDS:
            yield one
        else:
            yield Problem("content", one.code, f"工单无法提交：{one.words}")
