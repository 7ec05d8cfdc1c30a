"""信访代理 Village agents: what an agent takes down for a villager, checked in plain words, read into an Arrival.

raw = canonical JSON of everything typed, as channels/web.py writes it:
{"answers": {"fields": {"manner": "agent", "relation": "committee", "mandate": "photo", "by": "officer:qian"},
 "people": [{"name": "张示例"}, {"name": "钱代理", "phone": "15400000012"}]}, "files": [{"role": "MANDATE"}]}
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from aiohttp import web

from channels.answers import Answers
from channels.door import Hall
from channels.visit import line_problems
from channels.web import NAME_MAX, check_person, check_step, supplement_of
from channels.web import arrival_of as form_of
from config.visits import Visits
from petition import identity
from petition.arrival import Arrival, Upload
from petition.attachment import AttachmentRole
from petition.errors import Problem
from petition.people import Person, Role
from petition.petition import Form, Note

NAME = "proxy"

STEPS = ("region", "scene", "purpose", "story", "requests", "accused", "wishes")  # asked as on the web
HOLD = "代理反映的授权委托书待补交"
MANDATES = {"photo": "已拍照上传", "later": "以后补交"}


class Proxy:
    """The door of the agents; its pages stand in the hall and call `arrival_of`, so it opens no route of its own."""

    name = NAME

    def routes(self, hall: Hall) -> list[web.RouteDef]:
        """None."""
        return []


def check_proxy(
    answers: Answers,
    roles: Sequence[AttachmentRole],
    visits: Visits,
    *,
    today: date,
    known_region: Callable[[str], bool],
) -> tuple[Problem, ...]:
    """What must be mended before it is handed in. roles: of the files that are there. Pure."""
    principal = answers.people[0] if answers.people else {}
    found = []
    for problem in check_person(answers, 0, today):
        without = not principal.get("id_no", "").strip() and bool(principal.get("no_id", "").strip())
        if problem.field in ("id_no", "id_type") and without:
            continue
        words = problem.words
        if problem.field == "id_no" and not principal.get("id_no", "").strip():
            words = "请填写当事人的证件号码；不在手边的，请写明原因。"
        found.append(Problem(f"people.0.{problem.field}", problem.code, words))
    found += line_problems("people.0.no_id", "没有证件号码的原因", principal.get("no_id", ""))
    found += _check_agents(answers, visits)
    for step in STEPS:
        found += check_step(step, answers, today=today, known_region=known_region)
    if answers.get("mandate") not in MANDATES:
        found.append(Problem("mandate", "empty", "请拍照上传授权委托书，或选择以后补交。"))
    elif answers.get("mandate") == "photo" and AttachmentRole.MANDATE not in roles:
        found.append(Problem("files", "mandate", "还没有授权委托书的照片，请添加，或改选以后补交。"))
    if answers.get("consent") != "yes":
        found.append(Problem("consent", "empty", "请念给当事人听，当事人同意后勾选。"))
    return tuple(found)


def arrival_of(
    answers: Answers,
    uploads: Sequence[Upload],
    digests: Sequence[str],
    raw_id: str,
    received_at: datetime,
    visits: Visits,
) -> Arrival:
    """What the agent took down as one Arrival: both persons with their roles, the code to the principal's mobile.

    Without the mandate a person decides: it is entered at once and held with the reason. digests: SHA-256 of uploads.
    """
    form = form_of(answers, uploads, digests, raw_id, received_at, Form.WEB)
    people = form.statement.petitioners
    second = identity.normal_name(answers.get("second_name"))
    if second:
        phone = identity.normal_mobile(answers.get("second_phone"))
        people = (*people, Person(role=Role.AGENT, name=second, mobile=phone))
    has_mandate = any(upload.role is AttachmentRole.MANDATE for upload in uploads)
    return replace(
        form,
        channel=NAME,
        statement=replace(form.statement, petitioners=people),
        hold="" if has_mandate else HOLD,
        text_to=next((person.mobile for person in people if person.role is Role.PRINCIPAL), ""),
        notes=_notes(answers, visits, has_mandate),
    )


def mandate_of(
    case_no: str, uploads: Sequence[Upload], digests: Sequence[str], raw_id: str, received_at: datetime
) -> Arrival:
    """The mandate that comes later: a supplement of the case that waits for it."""
    arrival = supplement_of(case_no, "补交授权委托书。", uploads, digests, raw_id, received_at)
    return replace(arrival, channel=NAME)


def _check_agents(answers: Answers, visits: Visits) -> list[Problem]:
    agent = answers.people[1] if len(answers.people) > 1 else {}
    found = []
    if answers.get("relation") not in visits.relations:
        found.append(Problem("relation", "empty", "请选择您与当事人的关系。"))
    for name, phone, label in (
        ("people.1.name", "people.1.phone", "您"),
        ("second_name", "second_phone", "第二位代理人"),
    ):
        first = name.startswith("people")
        who = agent.get("name", "").strip() if first else answers.get(name)
        number = agent.get("phone", "").strip() if first else answers.get(phone)
        if first and not who:
            found.append(Problem(name, "empty", "请填写您的姓名。"))
        if len(who) > NAME_MAX:
            found.append(Problem(name, "long", f"姓名最多{NAME_MAX}个字。"))
        if (first or who) and not number:
            found.append(Problem(phone, "empty", f"请填写{label}的手机，核对情况时要联系。"))
        elif number and not identity.normal_mobile(number):
            found.append(Problem(phone, "phone", f"{label}的手机号码不对，应是11位数字。"))
        if number and not who and not first:
            found.append(Problem(name, "empty", "写了电话，请把第二位代理人的姓名也写上。"))
    if answers.get("second_name") and visits.agents < 2:
        found.append(Problem("second_name", "too_many", f"代理人最多{visits.agents}人（{visits.agents_article}）。"))
    return found


def _notes(answers: Answers, visits: Visits, has_mandate: bool) -> tuple[Note, ...]:
    """What stands beside the matter, in words without identity data."""
    relation = visits.relations.get(answers.get("relation"))
    said = [("relation", f"代理人是{relation.label}，应有{relation.proof}" if relation else "")]
    said.append(("mandate", "授权委托书已上传" if has_mandate else "授权委托书待补交"))
    said.append(("consent", "代理人已将记录念给当事人听，当事人同意" if answers.get("consent") == "yes" else ""))
    principal = answers.people[0] if answers.people else {}
    if principal.get("no_id", "").strip() and not principal.get("id_no", "").strip():
        said.append(("no_id", f"没有证件号码：{principal['no_id'].strip()}"))
    return tuple(Note(stage=NAME, code=code, words=words) for code, words in said if words)
