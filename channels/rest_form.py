"""The JSON of the REST door (接口字段): its shape, its limits, and what a good answer to a bad field says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, with_config

from channels.web import UNSEEN
from petition import identity
from petition.arrival import Statement
from petition.errors import Problem
from petition.people import Accused, Gender, IdType, Person, Role
from petition.petition import Purpose

FILES_MAX = 70  # real senders attach that many; a peer dropped what came after the fifteenth
PEOPLE_MAX = 500
CONTENT_MAX = 100_000  # longer texts are files
PROBLEMS_MAX = 50  # an answer names at most this many

Line = Annotated[str, Field(max_length=200)]
_STRICT = ConfigDict(extra="forbid", strict=True)


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class PersonForm:
    """One person (信访人), as petition/1 names the fields."""

    role: Role = Role.SELF
    name: Annotated[str, Field(max_length=100)] = ""
    gender: Gender | None = None
    id_type: IdType | None = None
    id_no: Annotated[str, Field(max_length=40)] = ""
    mobile: Annotated[str, Field(max_length=40)] = ""
    landline: Annotated[str, Field(max_length=40)] = ""
    email: Annotated[str, Field(max_length=254)] = ""
    address: Line = ""
    region_code: Annotated[str, Field(max_length=12)] = ""
    ethnicity: Annotated[str, Field(max_length=40)] = ""
    language: Annotated[str, Field(max_length=40)] = ""
    assist_need: Line = ""
    org_name: Annotated[str, Field(max_length=100)] = ""
    uscc: Annotated[str, Field(max_length=40)] = ""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class AccusedForm:
    """Who is complained about (被反映人/单位)."""

    name: Annotated[str, Field(max_length=100)] = ""
    unit: Line = ""
    post: Annotated[str, Field(max_length=100)] = ""
    rank: Annotated[str, Field(max_length=40)] = ""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class PetitionForm:
    """A petition as an app sends it. Only `content` must be there; what is not said is read or asked for later."""

    form: Literal["WEB", "APP", "WECHAT", "KIOSK", "LEADER_BOX", "GRID"] = "APP"
    sub_source: Annotated[str, Field(max_length=60, pattern=r"^[^:]*$")] = ""
    theme: Annotated[str, Field(max_length=40)] = ""
    petition_date: date | None = None
    petitioners: Annotated[list[PersonForm], Field(max_length=PEOPLE_MAX)] = field(default_factory=list)
    headcount: Annotated[int | None, Field(ge=1, le=100_000)] = None
    title: Annotated[str, Field(max_length=200)] = ""
    content: Annotated[str, Field(min_length=2, max_length=CONTENT_MAX)]
    requests: Annotated[list[Annotated[str, Field(min_length=1, max_length=2000)]], Field(max_length=20)] = field(
        default_factory=list
    )
    purpose: Purpose | None = None
    category: Annotated[str, Field(pattern=r"^([0-9]{2}(\.[0-9]{2}){0,2})?$")] = ""
    problem_region: Annotated[str, Field(max_length=12, pattern=r"^[0-9]*$")] = ""
    accused: Annotated[list[AccusedForm], Field(max_length=20)] = field(default_factory=list)
    occur_time: Annotated[str, Field(max_length=60)] = ""
    occur_place: Line = ""
    is_public: bool = False
    confidential: bool | None = None
    is_joint_letter: bool = False
    is_anonymous: bool = False
    privacy_notice_version: Annotated[str, Field(max_length=40)] = ""


def checked(
    form: PetitionForm, body: bytes, today: date, known_region: Callable[[str], bool]
) -> tuple[tuple[Problem, ...], Statement]:
    """What must be mended beyond the shape, and the statement with numbers in their normal form.

    body: the JSON the form was read from; without escapes and hidden signs in it no field needs a look of its own.
    """
    found: list[Problem] = [] if _clean(body) else [*_hidden(form)]
    if form.petition_date and form.petition_date > today:
        found.append(Problem("petition_date", "future", "信访日期不能晚于今天。"))
    if form.problem_region and not known_region(form.problem_region):
        found.append(Problem("problem_region", "region", "没有这个行政区划代码。"))
    if sum(one.role is Role.REPRESENTATIVE for one in form.petitioners) > 5:
        found.append(Problem("petitioners", "representatives", "代表不得超过5人（信访工作条例第二十条）。"))
    people = []
    for place, one in enumerate(form.petitioners):
        problems, person = _person(one, f"petitioners.{place}", today)
        found += problems
        people.append(person)
    statement = Statement(
        petitioners=tuple(people),
        headcount=form.headcount,
        title=form.title.strip(),
        content=form.content.replace("\r\n", "\n").strip(),
        requests=tuple(form.requests),
        purpose=form.purpose,
        category=form.category,
        problem_region=form.problem_region,
        accused=tuple(Accused(**_fields(one)) for one in form.accused),
        occur_time=form.occur_time,
        occur_place=form.occur_place,
        is_public=form.is_public,
        confidential=form.confidential,
        is_joint_letter=form.is_joint_letter,
        is_anonymous=form.is_anonymous,
        privacy_notice_version=form.privacy_notice_version,
    )
    return tuple(found[:PROBLEMS_MAX]), statement


def problems_of(error: ValidationError) -> tuple[Problem, ...] | None:
    """pydantic's findings in plain words, or None when the body is no JSON at all."""
    found = []
    for one in error.errors(include_url=False, include_input=False)[:PROBLEMS_MAX]:
        if one["type"] in ("json_invalid", "recursion_loop"):
            return None
        path = ".".join(re.sub(r"[^0-9A-Za-z_\u4e00-\u9fff-]", "?", str(part))[:60] for part in one["loc"])
        found.append(Problem(path or "petition", _code(one["type"]), _words(one["type"], one.get("ctx", {}))))
    return tuple(found)


def _person(form: PersonForm, path: str, today: date) -> tuple[list[Problem], Person]:
    found: list[Problem] = []
    values = _fields(form)
    if form.id_no and form.id_type in (None, IdType.RESIDENT_ID):
        check = identity.check_resident_id(form.id_no, today=today)
        values["id_no"], values["id_type"] = check.normal, IdType.RESIDENT_ID
        if not check.ok:
            found.append(Problem(f"{path}.id_no", check.code, check.words))
    if form.uscc:
        check = identity.check_uscc(form.uscc)
        values["uscc"] = check.normal
        if not check.ok:
            found.append(Problem(f"{path}.uscc", check.code, check.words))
    for name, normal, words in (
        ("mobile", identity.normal_mobile, "手机号码应为11位数字。"),
        ("landline", identity.normal_landline, "固定电话请带区号，例如 0931-8000000。"),
        ("email", identity.normal_email, "电子邮箱的写法不对。"),
    ):
        if typed := values.get(name):
            values[name] = normal(typed)
            if not values[name]:
                found.append(Problem(f"{path}.{name}", name, words))
    if form.name:
        values["name"] = identity.normal_name(form.name) or form.name.strip()
    return found, Person(**values)


def _fields(form: PersonForm | AccusedForm) -> dict[str, Any]:
    """What was given; the fields left out have the same empty defaults in petition/1."""
    return {name: value for name in form.__slots__ if (value := getattr(form, name))}


def _clean(body: bytes) -> bool:
    """Whether no sign of UNSEEN can be in the JSON, escaped or as it is. Cheap, and sure only when it says yes."""
    if b"\\" in body and b"\\u" in body:
        return False
    text = body.decode("utf-8", "replace")
    # Every sign of UNSEEN but U+FFFD is unprintable, and asking for that is quicker than the pattern.
    return (text.isprintable() and "\ufffd" not in text) or not UNSEEN.search(text)


def _hidden(form: PetitionForm) -> Iterator[Problem]:
    """Signs that hide or turn text, anywhere: NUL, control characters, direction marks, halves of characters."""
    for path, text in texts_of(asdict(form)):
        if hidden := UNSEEN.search(text):
            yield Problem(path, "unseen", f"第{hidden.start() + 1}个字是无法显示的控制符，请删掉它。")


def texts_of(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(dotted path, text) of every text in parsed JSON."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from texts_of(one, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from texts_of(one, f"{path}.{place}")


# pydantic's kinds -> our stable codes: an update of a library must not change what programs rely on.
_CODES = (
    ("missing", "missing"),
    ("extra_forbidden", "unknown_field"),
    ("unexpected_keyword_argument", "unknown_field"),
    ("enum", "unknown_value"),
    ("literal_error", "unknown_value"),
    ("string_pattern_mismatch", "pattern"),
    ("date_", "date"),
    ("greater_than", "out_of_range"),
    ("less_than", "out_of_range"),
    ("string_too_long", "too_long"),
    ("string_too_short", "too_short"),
    ("too_long", "too_long"),
    ("too_short", "too_short"),
)


def _code(kind: str) -> str:
    return next((code for start, code in _CODES if kind.startswith(start)), "wrong_type")


def _words(kind: str, context: dict[str, Any]) -> str:
    if kind in ("string_too_long", "too_long"):
        return f"太长，最多 {context.get('max_length')}。"
    if kind in ("string_too_short", "too_short"):
        return f"太短，至少 {context.get('min_length')}。"
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"应在规定范围内({context.get('ge', context.get('le'))})。"
    return _WORDS.get(kind, "类型或取值不对，请对照接口说明。")


_WORDS = {
    "missing": "缺少这个字段。",
    "extra_forbidden": "没有这个字段。",
    "unexpected_keyword_argument": "没有这个字段。",
    "string_type": "应为字符串。",
    "bool_type": "应为 true 或 false。",
    "int_type": "应为整数。",
    "list_type": "应为数组。",
    "dataclass_type": "应为对象。",
    "enum": "不在允许的取值之内。",
    "literal_error": "不在允许的取值之内。",
    "string_pattern_mismatch": "写法不对。",
    "string_unicode": "不是有效的 UTF-8 文字。",
    "date_from_datetime_parsing": "应为日期，例如 2026-11-22。",
    "date_parsing": "应为日期，例如 2026-11-22。",
    "date_type": "应为日期，例如 2026-11-22。",
}
