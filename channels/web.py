"""网上填报 The web form: checks what was typed page by page and reads it into an Arrival.

raw = canonical JSON of the answers as typed and the files by digest:
{"answers": {"fields": {"manner": "self", "region": "620102"}, "people": [{"name": "张示例"}]}, "files": []}
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date, datetime

from aiohttp import web

from channels.answers import PAGES, Answers
from channels.door import Hall
from petition import identity
from petition.arrival import SUPPLEMENT, Arrival, Statement, Upload
from petition.errors import Problem
from petition.origin import NOWHERE, Origin
from petition.people import Accused, IdType, Person, Role
from petition.petition import Form, Purpose

NAME = "web"

NAME_MAX = 50  # the longest names on Chinese identity cards and passports stay under 40 signs
ORG_NAME_MAX = 100  # registered names of organisations
TITLE_MAX = 60  # DOMAIN 3.1: fits one line of the officers' lists
CONTENT_MIN = 10  # fewer signs cannot say who, where and what
CONTENT_MAX = 10_000  # some twenty letter pages; more belongs into a file
REQUEST_MAX, REQUESTS_MAX = 500, 20  # the opinion must answer each one (Regulation art. 32)
LINE_MAX = 200  # addresses, places, units, posts
PEOPLE_MAX = 50  # more names come as a signature page
REPRESENTATIVES_MAX = 5  # Regulation art. 20
HEADCOUNT_MAX = 100_000  # above it a slip of the finger is likelier than a signature list
SUPPLEMENT_MAX = 5_000  # what is added to a case is shorter than the case

# Control and direction marks that hide or turn text, halves of characters, and the sign for "could not be read".
# Joiners and variation selectors stay: emoji and rare Han need them.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffd-\uffff]"
)
_OTHER_ID = re.compile(r"[0-9A-Z()\-]{4,30}")
_YES_NO = ("yes", "no")


class Web:
    """The door of the portal; its pages stand in the hall and call `arrival_of`, so it opens no route of its own."""

    name = NAME

    def routes(self, hall: Hall) -> list[web.RouteDef]:
        """None."""
        return []


def check_step(
    step: str, answers: Answers, *, today: date, known_region: Callable[[str], bool] = bool
) -> tuple[Problem, ...]:
    """What must be mended on one page of `PAGES`; `check` looks through all of them. Pure, never raises.

    today: Asia/Shanghai; known_region: whether a region code exists. Fields are the names of the form's inputs,
    `people.0.id_no` for a person's.
    """
    match step:
        case "who":
            return () if answers.manner else (Problem("manner", "empty", "请选择您是替谁反映。"),)
        case "people":
            return _check_people(answers, today)
        case "region":
            known = bool(answers.get("region")) and known_region(answers.get("region"))
            return () if known else (Problem("region", "empty", "请选择问题发生在哪里。"),)
        case "scene":
            place = _text("occur_place", "具体地点", answers.get("occur_place"), LINE_MAX)
            return (*place, *_check_day(answers, today))
        case "purpose":
            return () if answers.purpose else (Problem("purpose", "empty", "请选择您的目的。"),)
        case "story":
            return _check_story(answers)
        case "requests":
            return _check_requests(answers)
        case "accused":
            return _check_accused(answers)
        case "wishes" if answers.purpose is not Purpose.ACCUSATION:
            asked = (("is_public", "请选择能否公开办理结果。"), ("confidential", "请选择是否要求为您保密。"))
            return tuple(Problem(each, "empty", words) for each, words in asked if answers.get(each) not in _YES_NO)
        case "check":
            return tuple(
                problem
                for page, _ in PAGES[:-1]
                for problem in check_step(page, answers, today=today, known_region=known_region)
            )
        case _:
            return ()


def check_person(answers: Answers, index: int, today: date) -> tuple[Problem, ...]:
    """What must be mended for one person; fields without the `people.N.` in front."""
    person = answers.people[index] if index < len(answers.people) else {}
    role = answers.role(index)
    signer_only = role is Role.COSIGNER
    told = role in (Role.SELF, Role.AGENT) or (role is Role.REPRESENTATIVE and index == 0)
    is_org = person.get("id_type") == IdType.USCC
    label = "单位名称" if is_org else "姓名"
    name = person.get("name", "").strip()
    found = [*_text("name", label, name, ORG_NAME_MAX if is_org else NAME_MAX, required=f"请填写{label}。")]
    if not found and any(unicodedata.category(sign) == "So" for sign in name):
        found.append(Problem("name", "signs", "姓名里有表情或图形符号，请改成文字。"))
    number = person.get("id_no", "").strip()
    if number or not signer_only:
        found += _check_number(person.get("id_type", ""), number, today)
    phone = person.get("phone", "").strip()
    if phone and not (identity.normal_mobile(phone) or identity.normal_landline(phone)):
        found.append(Problem("phone", "phone", "电话号码不对。手机是11位数字；固定电话请加区号，例如 0931-8000000。"))
    elif not phone and told:
        found.append(Problem("phone", "empty", "请填写联系电话，办理单位要用它联系您。"))
    required = "" if signer_only else "请填写住址，书面答复要寄到这里。"
    found += _text("address", "住址", person.get("address", "").strip(), LINE_MAX, required=required)
    found += _text("assist_need", "需要的帮助", person.get("assist_need", "").strip(), LINE_MAX)
    return tuple(found)


def check_supplement(content: str, files: int) -> tuple[Problem, ...]:
    """What must be mended in an addition to a case; words or a file, either is enough."""
    required = "" if files else "请写下要补充的内容，或添加文件。"
    return _text("content", "补充说明", content.strip(), SUPPLEMENT_MAX, required=required)


def arrival_of(
    answers: Answers,
    uploads: Sequence[Upload],
    digests: Sequence[str],
    raw_id: str,
    received_at: datetime,
    form: Form,
    origin: Origin = NOWHERE,
) -> Arrival:
    """The answers as one Arrival: as typed in `raw`, normalised in the statement. digests: SHA-256 of each upload."""
    anonymous = answers.manner == "anonymous"
    people = tuple(_person(answers, index) for index in range(len(answers.named)))
    accused = Accused(**{name: answers.get(f"accused_{name}") for name in ("name", "unit", "post")})
    return Arrival(
        channel=NAME,
        form=form,
        raw_id=raw_id,
        received_at=received_at,
        petition_date=received_at.date(),
        raw=_canonical({"answers": answers.to_dict(), "files": _file_rows(uploads, digests)}),
        raw_type="application/json",
        uploads=tuple(uploads),
        sub_source=str(origin),
        statement=Statement(
            petitioners=people,
            headcount=answers.headcount,
            title=answers.get("title"),
            content=answers.get("content"),
            requests=answers.requests,
            purpose=answers.purpose,
            problem_region=answers.get("region"),
            accused=(accused,) if accused != Accused() else (),
            occur_time=answers.occur_time,
            occur_place=answers.get("occur_place"),
            is_public=answers.is_public,
            confidential=answers.confidential,
            is_joint_letter=answers.manner == "joint",
            is_anonymous=anonymous,
            privacy_notice_version=answers.get("notice"),
        ),
    )


def supplement_of(
    case_no: str, content: str, uploads: Sequence[Upload], digests: Sequence[str], raw_id: str, received_at: datetime
) -> Arrival:
    """What a citizen adds to a known case: an Arrival whose sub_source is `supplement:<case_no>`."""
    return Arrival(
        channel=NAME,
        form=Form.WEB,
        raw_id=raw_id,
        received_at=received_at,
        petition_date=received_at.date(),
        raw=_canonical({"supplement": case_no, "content": content, "files": _file_rows(uploads, digests)}),
        raw_type="application/json",
        uploads=tuple(uploads),
        sub_source=SUPPLEMENT + case_no,
        statement=Statement(content=content.replace("\r\n", "\n").strip()),
    )


def _check_people(answers: Answers, today: date) -> tuple[Problem, ...]:
    if answers.manner == "anonymous":
        return ()
    found = [
        Problem(f"people.{index}.{problem.field}", problem.code, problem.words)
        for index in range(max(len(answers.named), answers.expected()))
        for problem in check_person(answers, index, today)
    ]
    if answers.manner == "joint":
        roles = [answers.role(index) for index in range(len(answers.people))]
        if roles.count(Role.REPRESENTATIVE) > REPRESENTATIVES_MAX:
            found.append(Problem("people", "representatives", f"代表最多{REPRESENTATIVES_MAX}人，多出的请改为联名人。"))
        if len(answers.people) > PEOPLE_MAX:
            found.append(Problem("people", "too_many", f"这里最多写{PEOPLE_MAX}人，其余的人请在签名页上签名后上传。"))
        count = identity.tidy(answers.get("headcount"))
        if answers.by_link:
            pass  # they count themselves
        elif not re.fullmatch(r"[0-9]{1,9}", count):
            found.append(Problem("headcount", "number", "请填写一共有多少人，用数字。"))
        elif not max(2, len(answers.people)) <= int(count) <= HEADCOUNT_MAX:
            words = f"总人数应不少于已写的{max(2, len(answers.people))}人，不多于{HEADCOUNT_MAX}人。"
            found.append(Problem("headcount", "range", words))
    return tuple(found)


def _check_number(kind: str, number: str, today: date) -> list[Problem]:
    if kind not in set(IdType):
        return [Problem("id_type", "empty", "请选择证件种类。")]
    if kind == IdType.RESIDENT_ID:
        checked = identity.check_resident_id(number, today=today)
    elif kind == IdType.USCC:
        checked = identity.check_uscc(number)
    else:
        plain = identity.tidy(number).upper().replace(" ", "")
        words = "证件号码应为4到30位字母或数字，请照证件填写。"
        return [] if _OTHER_ID.fullmatch(plain) else [Problem("id_no", "id_no", words)]
    return [] if checked.ok else [Problem("id_no", checked.code, checked.words)]


def _check_day(answers: Answers, today: date) -> tuple[Problem, ...]:
    year, month, day = (identity.tidy(answers.get(name)) for name in ("year", "month", "day"))
    if not (year or month or day):
        return ()
    if not re.fullmatch(r"[0-9]{4}", year) or int(year) < 1900:
        return (Problem("year", "year", "年份请写四位数字，例如 2026。"),)
    if day and not month:
        return (Problem("month", "month", "写了日，请把月也写上。"),)
    if month and not re.fullmatch(r"0?[1-9]|1[0-2]", month):
        return (Problem("month", "month", "月份应是1到12。"),)
    try:
        first = date(int(year), int(month or 1), int(day or 1) if re.fullmatch(r"[0-9]{0,2}", day) else 0)
    except ValueError:
        return (Problem("day", "day", "没有这一天，请核对日期。"),)
    return (Problem("year", "future", "发生时间不能晚于今天，请核对。"),) if first > today else ()


def _check_story(answers: Answers) -> tuple[Problem, ...]:
    title = _text("title", "标题", answers.get("title"), TITLE_MAX, required="请用一句话写出标题。")
    text = answers.get("content")
    more = "更长的材料请作为文件上传。"
    content = _text("content", "经过", text, CONTENT_MAX, required="请写下事情的经过。", more=more)
    if not content and len(text) < CONTENT_MIN:
        content = (Problem("content", "short", f"请再写详细一些，至少{CONTENT_MIN}个字。"),)
    return (*title, *content)


def _check_requests(answers: Answers) -> tuple[Problem, ...]:
    required = "" if answers.purpose in (Purpose.CONSULT, Purpose.ACCUSATION) else "请写下您希望得到什么结果。"
    found = _text("requests", "诉求", answers.get("requests"), REQUEST_MAX * REQUESTS_MAX, required=required)
    if found:
        return found
    if len(answers.requests) > REQUESTS_MAX:
        return (Problem("requests", "too_many", f"诉求最多写{REQUESTS_MAX}条，每行一条，请合并相近的。"),)
    if long := [at for at, each in enumerate(answers.requests, 1) if len(each) > REQUEST_MAX]:
        return (Problem("requests", "long", f"第{long[0]}条诉求超过{REQUEST_MAX}个字，请写短一些。"),)
    return ()


def _check_accused(answers: Answers) -> tuple[Problem, ...]:
    labels = (("accused_unit", "单位"), ("accused_name", "姓名"), ("accused_post", "职务"))
    found = tuple(p for name, label in labels for p in _text(name, label, answers.get(name), LINE_MAX))
    named = answers.get("accused_unit") or answers.get("accused_name")
    if answers.purpose is Purpose.ACCUSATION and not found and not named:
        return (Problem("accused_unit", "empty", "请写明检举控告的单位或人，至少写一项。"),)
    return found


def _text(name: str, label: str, value: str, most: int, *, required: str = "", more: str = "") -> tuple[Problem, ...]:
    """Problems of one free text: hidden signs, nothing where something is needed, too long."""
    if hidden := UNSEEN.search(value):
        words = f"{label}的第{hidden.start() + 1}个字是无法显示的控制符（显示为�），请删掉它。"
        return (Problem(name, "unseen", words),)
    if not identity.tidy(value):
        return (Problem(name, "empty", required),) if required else ()
    if len(value) > most:
        return (Problem(name, "long", f"{label}最多{most}个字，现在有{len(value)}个字，请写短一些。{more}"),)
    return ()


def _person(answers: Answers, index: int) -> Person:
    typed = {name: value.strip() for name, value in answers.people[index].items()}
    kind = IdType(typed["id_type"]) if typed.get("id_type") in set(IdType) and typed.get("id_no") else None
    number = typed.get("id_no", "")
    org = kind is IdType.USCC
    checked = identity.check_resident_id(number) if kind is IdType.RESIDENT_ID else None
    normal = checked.normal if checked else identity.check_uscc(number).normal if org else ""
    normal = normal or identity.tidy(number).upper()
    phone = typed.get("phone", "")
    return Person(
        role=answers.role(index),
        name=identity.normal_name(typed.get("name", "")),
        gender=checked.gender if checked else None,
        id_type=kind,
        id_no=normal if kind else "",
        mobile=identity.normal_mobile(phone),
        landline="" if identity.normal_mobile(phone) else identity.normal_landline(phone),
        address=typed.get("address", ""),
        assist_need=typed.get("assist_need", ""),
        org_name=identity.normal_name(typed.get("name", "")) if org else "",
        uscc=normal if org else "",
    )


def _file_rows(uploads: Sequence[Upload], digests: Sequence[str]) -> list[dict[str, str]]:
    return [
        {"name": upload.name, "media_type": upload.media_type, "role": upload.role.value, "sha256": digest}
        for upload, digest in zip(uploads, digests, strict=True)
    ]


def _canonical(value: object) -> bytes:
    # Half characters cannot be written as UTF-8; they were refused at the field and would be kept as escapes.
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")
