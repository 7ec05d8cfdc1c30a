"""The JSON of a 12345 work order (热线工单): its shape, its limits, and the statement an officer reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter, ValidationError, with_config

from channels.rest_form import CONTENT_MAX, PROBLEMS_MAX, Line, problems_of, texts_of
from channels.web import UNSEEN
from petition import identity
from petition.arrival import Statement
from petition.clock import aware
from petition.errors import Invalid, Problem, Unreadable
from petition.people import Gender, Person
from petition.petition import Purpose

HEADING = "【工单信息】"
LINE = "12345"
_STRICT = ConfigDict(extra="forbid", strict=True)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # before it there was no 12345; and the first years cannot change zone
# Visible signs without "#", which stands between the number and the digest of a changed order.
_ORDER_NO = r'^[!-"$-~\u3001-\u3020\u4e00-\u9fff\uff01-\uff5e]{4,60}$'
_GOOD_ORDER_NO = re.compile(_ORDER_NO)
_TIMES = ("started_at", "ended_at")
# How the office reads of what the hotline did; anything else is a change.
_OPENINGS = {
    "补充": "热线补充了这件工单，内容如下。",
    "催办": "热线催办这件工单，内容如下。",
    "重办": "热线要求重办这件工单，内容如下。",
    "撤单": "热线撤回这件工单；是否撤销由工作人员核实后决定。",
    "办结": "热线通报这件工单在热线平台已办结，内容如下。",
    "回访": "热线通报这件工单的回访结果，内容如下。",
}

Kind = Literal["", "咨询", "求助", "投诉", "举报", "建议", "表扬", "其他"]
Short = Annotated[str, Field(max_length=60)]
Long = Annotated[str, Field(max_length=5000)]

# Praise and the rest are none of the statutory purposes (Regulation arts. 29-31): a stage or an officer says.
PURPOSES = {
    "咨询": Purpose.CONSULT,
    "求助": Purpose.APPEAL,
    "投诉": Purpose.APPEAL,
    "举报": Purpose.ACCUSATION,
    "建议": Purpose.SUGGESTION,
}


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class CallerForm:
    """Who called (来电人), as the seat typed it; a wrong number is kept, the people stage notes it."""

    name: Annotated[str, Field(max_length=100)] = ""
    gender: Gender | None = None
    id_no: Annotated[str, Field(max_length=40)] = ""
    mobile: Annotated[str, Field(max_length=40)] = ""
    landline: Annotated[str, Field(max_length=40)] = ""
    address: Line = ""
    region_code: Annotated[str, Field(pattern=r"^([0-9]{6,12})?$")] = ""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ThreeWayForm:
    """Operator, requester and responsible unit on one line (三方通话, GB/T 33358-2016 term 3.7)."""

    unit: Line = ""
    person: Line = ""
    agreed: bool | None = None
    note: Long = ""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderForm:
    """One work order (工单, GB/T 33358-2016 term 3.6; DOMAIN 4.2). Number and content must be there."""

    order_no: Annotated[str, Field(pattern=_ORDER_NO)]
    # No colon: the source `supplement:...` is the house's own word.
    line: Annotated[str, Field(pattern=r"^[0-9A-Za-z\u4e00-\u9fff -]{1,20}$")] = LINE
    theme: Annotated[str, Field(max_length=40)] = ""
    seat_id: Short = ""
    caller_number: Annotated[str, Field(max_length=40)] = ""
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    recording_id: Annotated[str, Field(max_length=100)] = ""
    caller: CallerForm | None = None
    place_region: Annotated[str, Field(pattern=r"^([0-9]{6,12})?$")] = ""
    place_words: Line = ""
    kind: Kind = ""
    event: Literal["", "派单", "补充", "催办", "重办", "撤单", "办结", "回访"] = ""
    state: Short = ""
    title: Line = ""
    content: Annotated[str, Field(min_length=2, max_length=CONTENT_MAX)]
    demands: Long = ""
    urgency: Literal["", "一般", "紧急", "特急"] = ""
    reply_wanted: bool | None = None
    confidential: bool | None = None
    three_way: ThreeWayForm | None = None
    result: Long = ""
    callback_score: Annotated[int | None, Field(ge=1, le=5)] = None
    callback_wanted: bool | None = None


def canonical(order: object) -> bytes:
    """The one way to write an order: sorted keys, no blanks, UTF-8; halves of characters stay escaped.

    Alone or in a batch an order has the same bytes, so both ways of sending it are the same event.
    RecursionError when it is nested too deeply.
    """
    try:
        return json.dumps(order, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(order, sort_keys=True, separators=(",", ":")).encode()


def order_no_of(order: object) -> str:
    """The number of an order that may be wrong otherwise; empty when it has no good one."""
    number = order.get("order_no") if isinstance(order, dict) else None
    return number if isinstance(number, str) and _GOOD_ORDER_NO.fullmatch(number) else ""


class OrderReader:
    """Reads orders; made once, because building the validator is dear."""

    def __init__(self) -> None:
        self._form = TypeAdapter(OrderForm)

    def read(self, order: object, raw: bytes, now: datetime, known_region: Callable[[str], bool]) -> OrderForm:
        """One order as its form. order: parsed JSON; raw: its canonical bytes.

        Raises Invalid with every problem and its path, Unreadable when it is nested too deeply to look at.
        """
        try:
            hidden = [
                Problem(path or "order", "unseen", f"第{found.start() + 1}个字是无法显示的控制符，请删掉它。")
                for path, text in texts_of(order)
                if (found := UNSEEN.search(text))
            ]
        except RecursionError as problem:
            raise Unreadable("工单的嵌套层数太多。") from problem
        if hidden:
            raise Invalid(tuple(hidden[:PROBLEMS_MAX]))
        try:
            form = self._form.validate_json(raw)
        except ValidationError as problem:
            shape = problems_of(problem)
            if shape is None:
                raise Unreadable("工单不是有效的 JSON。") from problem
            raise Invalid(tuple(_told(one) for one in shape)) from problem
        if problems := tuple(_problems(form, now, known_region)):
            raise Invalid(problems)
        return form


def statement_of(form: OrderForm) -> Statement:
    """What the caller said, field by field; what petition/1 has no field for stands in lines under the content."""
    person = _person(form)
    return Statement(
        petitioners=(person,) if person != Person() else (),
        title=_flat(form.title),
        content=_with_lines(_text(form.content), _call_lines(form, person)),
        requests=requests_of(form.demands),
        purpose=PURPOSES.get(form.kind),
        problem_region=form.place_region,
        occur_place=_flat(form.place_words),
        confidential=form.confidential,
    )


def change_of(form: OrderForm, opening: str = "") -> Statement:
    """The order as it was changed, all in words: of a supplement only the content joins the case.

    The ID number is masked there, because text is shown without the audit row that the field asks for.
    """
    person = _person(form)
    lines = [
        ("工单编号", form.order_no),
        ("热线", form.line),
        ("姓名", person.name),
        ("性别", {Gender.MALE: "男", Gender.FEMALE: "女", None: ""}[person.gender]),
        ("证件号码", f"{identity.mask_id(person.id_no)}（全号见原始工单）" if person.id_no else ""),
        ("手机", person.mobile),
        ("固定电话", person.landline),
        ("住址", _flat(person.address)),
        ("常住地代码", person.region_code),
        ("标题", _flat(form.title)),
        ("事发地代码", form.place_region),
        ("事发地", _flat(form.place_words)),
        ("具体诉求", "；".join(requests_of(form.demands))),
        ("要求保密", _yes_no(form.confidential)),
        *_call_lines(form, person),
    ]
    opening = opening or _OPENINGS.get(form.event, "热线更改了这件工单，更改后的内容如下。")
    content = f"{opening}\n{_text(form.content)}"
    return replace(statement_of(form), content=_with_lines(content, lines))


def requests_of(demands: str) -> tuple[str, ...]:
    """The demands, one a line, as they were typed."""
    return tuple(line for line in (_flat(line) for line in demands.split("\n")) if line)


def _told(problem: Problem) -> Problem:
    if problem.field in _TIMES and problem.code != "unknown_field":
        return Problem(problem.field, "time", "应为带时区的时间，例如 2026-11-22T09:12:00+08:00。")
    if problem.field == "order_no" and problem.code == "pattern":
        return Problem(problem.field, problem.code, "工单编号应为4到60个可见字符，不含空格和#号。")
    if problem.field == "petition":
        return Problem("order", problem.code, problem.words)
    return problem


def _problems(form: OrderForm, now: datetime, known_region: Callable[[str], bool]) -> Iterator[Problem]:
    good = True
    for name in _TIMES:
        moment: datetime | None = getattr(form, name)
        # The late years cannot change zone, so they are compared as they are. A day of grace: clocks differ.
        if moment and (moment < _EARLIEST or (moment - now).days >= 1):
            good = False
            yield Problem(name, "out_of_range", "这个时间不可能，请核对。")
    if good and form.started_at and form.ended_at and form.ended_at < form.started_at:
        yield Problem("ended_at", "out_of_range", "通话结束不能早于通话开始。")
    if form.place_region and not known_region(form.place_region):
        yield Problem("place_region", "region", "没有这个行政区划代码。")
    if len(form.content.strip()) < 2:
        yield Problem("content", "too_short", "太短，至少 2。")


def _person(form: OrderForm) -> Person:
    """The caller; the number of the call counts as a contact where the seat typed none."""
    given = form.caller or CallerForm()
    mobile = identity.normal_mobile(given.mobile) or given.mobile.strip()
    landline = identity.normal_landline(given.landline) or given.landline.strip()
    if not mobile and not landline:
        mobile = identity.normal_mobile(form.caller_number)
        landline = "" if mobile else identity.normal_landline(form.caller_number)
    return Person(
        name=identity.normal_name(given.name) or given.name.strip(),
        gender=given.gender,
        id_no=given.id_no.strip(),
        mobile=mobile,
        landline=landline,
        address=given.address.strip(),
        region_code=given.region_code,
    )


def _call_lines(form: OrderForm, person: Person) -> list[tuple[str, str]]:
    called = identity.normal_mobile(form.caller_number) or identity.normal_landline(form.caller_number)
    three_way = form.three_way or ThreeWayForm()
    return [
        ("工单动作", form.event),
        ("工单状态", _flat(form.state)),
        ("诉求类型", form.kind),
        ("紧急程度", form.urgency),
        ("坐席", _flat(form.seat_id)),
        ("来电号码", "" if called and called in (person.mobile, person.landline) else _flat(form.caller_number)),
        ("通话开始", _moment(form.started_at)),
        ("通话结束", _moment(form.ended_at)),
        ("录音编号", _flat(form.recording_id)),
        ("三方通话单位", _flat(three_way.unit)),
        ("三方通话单位人员", _flat(three_way.person)),
        ("三方通话达成一致", _yes_no(three_way.agreed)),
        ("三方通话记录", _flat(three_way.note)),
        ("要求回复", _yes_no(form.reply_wanted)),
        ("要求回访", _yes_no(form.callback_wanted)),
        ("办理结果", _flat(form.result)),
        ("回访评分", f"{form.callback_score}分（满分5分）" if form.callback_score else ""),
    ]


def _with_lines(content: str, lines: list[tuple[str, str]]) -> str:
    said = [f"{name}：{value}" for name, value in lines if value]
    return "\n".join((content, "", HEADING, *said)) if said else content


def _moment(moment: datetime | None) -> str:
    return f"{aware(moment):%Y-%m-%d %H:%M:%S}" if moment else ""


def _yes_no(value: bool | None) -> str:
    return {True: "是", False: "否", None: ""}[value]


def _flat(text: str) -> str:
    """On one line, so that a value cannot look like a line of its own."""
    return " ".join(text.split())


def _text(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
