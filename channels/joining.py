"""联名 Joining by link: checks what somebody typed who joins a joint petition, and makes an Arrival of it.

raw = canonical JSON as typed: {"join": "620000W...", "name": "张示例", "id_no": "...", "household": "3号楼101", ...}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from channels.answers import Answers
from channels.web import NAME, SUPPLEMENT_MAX, arrival_of, check_person, check_supplement
from petition.arrival import SUPPLEMENT, Arrival, Joining, Statement
from petition.errors import Problem
from petition.identity import normal_mobile
from petition.people import Role
from petition.petition import Form

FIELDS = ("name", "id_type", "id_no", "phone", "household", "content", "agree")
WORDS_MAX = SUPPLEMENT_MAX


def check_join(typed: Mapping[str, str], today: date, *, by_mobile: bool) -> tuple[Problem, ...]:
    """What must be mended. by_mobile: a code is going to be sent, so the telephone must be a mobile."""
    found = [
        replace(problem, field="household", words="请填写您家的门牌，例如：3号楼2单元501。")
        if problem.field == "address" and problem.code == "empty"
        else replace(problem, field="household")
        if problem.field == "address"
        else problem
        for problem in check_person(_answers(typed), 0, today)
    ]
    if by_mobile and not any(problem.field == "phone" for problem in found) and not mobile_of(typed):
        found.append(Problem("phone", "mobile", "验证码要发到手机，请填写手机号码。"))
    if typed.get("content", "").strip():
        found += check_supplement(typed["content"], 0)
    if typed.get("agree") != "yes":
        found.append(Problem("agree", "empty", "请勾选同意后再提交。"))
    return tuple(found)


def mobile_of(typed: Mapping[str, str]) -> str:
    """The typed mobile in E.164, or empty."""
    return normal_mobile(typed.get("phone", "").strip())


def join_of(
    case_no: str, typed: Mapping[str, str], raw_id: str, received_at: datetime, *, form: Form, notice: str, proved: str
) -> Arrival:
    """The joining as an Arrival of its case. notice: version of the privacy notice; proved: sms or empty."""
    read = arrival_of(_answers(typed), (), (), raw_id, received_at, form).statement.petitioners[0]
    kept = {name: typed.get(name, "") for name in FIELDS}
    said = Joining(household=typed.get("household", "").strip(), proved=proved)
    return _arrival(
        {"join": case_no, "notice": notice, "proved": proved, **kept},
        Statement(
            petitioners=(replace(read, role=Role.COSIGNER),),
            content=typed.get("content", "").replace("\r\n", "\n").strip(),
            privacy_notice_version=notice,
            joining=said,
        ),
        case_no,
        raw_id,
        received_at,
        form,
    )


def leave_of(case_no: str, uid: str, raw_id: str, received_at: datetime) -> Arrival:
    """Somebody takes the own joining (its id in hex) back."""
    statement = Statement(joining=Joining(leaves=uid))
    return _arrival({"leave": case_no, "member": uid}, statement, case_no, raw_id, received_at, Form.WEB)


def _answers(typed: Mapping[str, str]) -> Answers:
    person = {name: typed.get(name, "") for name in ("name", "id_type", "id_no", "phone")}
    return Answers({"manner": "self"}, ({**person, "address": typed.get("household", "")},))


def _arrival(
    raw: Mapping[str, str], statement: Statement, case_no: str, raw_id: str, received_at: datetime, form: Form
) -> Arrival:
    text = json.dumps(raw, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Arrival(
        channel=NAME,
        form=form,
        raw_id=raw_id,
        received_at=received_at,
        petition_date=received_at.date(),
        raw=text.encode("utf-8", "backslashreplace"),
        raw_type="application/json",
        sub_source=SUPPLEMENT + case_no,
        statement=statement,
    )
