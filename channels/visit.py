"""来访登记 The counter: what a clerk takes down of a visit, checked in plain words and read into an Arrival.

raw = canonical JSON of everything typed, as channels/web.py writes it, with the fields of a visit:
{"answers": {"fields": {"manner": "joint", "companions": "2", "ticket": "12", "read_by": "officer:yanshi"},
 "people": [{"name": "张示例", "no_id": "证件遗失"}]}, "files": []}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from aiohttp import web

from channels.answers import Answers
from channels.door import Hall
from channels.web import LINE_MAX, PEOPLE_MAX, UNSEEN, check_person, check_step
from channels.web import arrival_of as form_of
from config.visits import Visits
from petition import identity
from petition.arrival import SUPPLEMENT, Arrival, Upload
from petition.errors import Problem
from petition.people import IdType, Role
from petition.petition import Form, Note

NAME = "visit"

COMPANIONS_MAX = 1000  # a thousand people do not come as companions: a slip of the finger
DOCUMENTS_MAX = 50  # papers of one visit, one a line
STEPS = ("region", "scene", "purpose", "story", "requests", "accused", "wishes")  # asked as on the web
_TOLD = (Role.SELF, Role.REPRESENTATIVE, Role.PRINCIPAL)  # who gets number and code, never an agent
SIGNED = {"paper": "纸质签名", "pad": "手写板签名", "mark": "按指印", "refused": "拒绝签名"}


class Visit:
    """The door of the counter; its pages stand in the hall and call `arrival_of`, so it opens no route of its own."""

    name = NAME

    def routes(self, hall: Hall) -> list[web.RouteDef]:
        """None."""
        return []


def check_visit(
    answers: Answers, visits: Visits, *, today: date, known_region: Callable[[str], bool]
) -> tuple[Problem, ...]:
    """What must be mended before the record is read back; everything at once, fields as in the form. Pure.

    A visitor without papers or telephone is registered all the same (Regulation arts. 19, 22), the reason stands there.
    """
    if not answers.manner:
        return (Problem("manner", "empty", "请选择来访的方式。"),)
    found = [*_check_people(answers, visits, today)]
    for step in STEPS:
        found += check_step(step, answers, today=today, known_region=known_region)
    found += _check_count("companions", "随行人数", answers.get("companions"), COMPANIONS_MAX)
    found += _check_count("ticket", "候访号", answers.get("ticket"), 99_999)
    for name, label in (("window", "窗口"), ("outside_words", "告知的机关"), ("guardian_words", "监护情况")):
        found += line_problems(name, label, answers.get(name))
    if answers.get("outside") == "yes" and not answers.get("outside_words"):
        found.append(Problem("outside_words", "empty", "请写明已经告知来访人应当到哪个机关反映。"))
    if len(documents_of(answers)) > DOCUMENTS_MAX:
        found.append(Problem("documents", "too_many", f"收到的材料最多写{DOCUMENTS_MAX}行，请合并同类的。"))
    elif documents_of(answers) and answers.get("originals") not in ("returned", "copies", "kept"):
        found.append(Problem("originals", "empty", "请选择原件如何处理。"))
    return tuple(found)


def check_read_back(answers: Answers) -> tuple[Problem, ...]:
    """What is missing before the record counts: read aloud, found right, signed or the reason why not."""
    found = []
    if answers.get("read_back") != "yes":
        found.append(Problem("read_back", "empty", "请向来访人宣读，来访人确认无误后勾选。"))
    if answers.get("signed") not in SIGNED:
        found.append(Problem("signed", "empty", "请选择来访人怎样签名。"))
    if answers.get("signed") == "refused" and not answers.get("signed_words"):
        found.append(Problem("signed_words", "empty", "请写明来访人没有签名的原因。"))
    return (*found, *line_problems("signed_words", "未签名的原因", answers.get("signed_words")))


def arrival_of(
    answers: Answers,
    uploads: Sequence[Upload],
    digests: Sequence[str],
    raw_id: str,
    received_at: datetime,
    visits: Visits,
) -> Arrival:
    """The visit as one Arrival. With `join` it is a supplement to that case. digests: SHA-256 of each upload."""
    form = form_of(answers, uploads, digests, raw_id, received_at, Form.VISIT)
    outside = answers.get("outside") == "yes"
    # Several who come together are a group visit if they are many enough, never a joint letter.
    said = replace(form.statement, is_joint_letter=False, is_skip_level=outside)
    joined = answers.get("join")
    return replace(
        form,
        channel=NAME,
        statement=said,
        sub_source=SUPPLEMENT + joined if joined else "",
        text_to="" if joined else next((each.mobile for each in said.petitioners if each.role in _TOLD), ""),
        notes=notes_of(answers, visits),
    )


def notes_of(answers: Answers, visits: Visits) -> tuple[Note, ...]:
    """What the record of a visit says beside the matter, in words without identity data."""
    said = [("ticket", f"候访号{answers.get('ticket')}" if answers.get("ticket") else "")]
    said.append(("window", answers.get("window") and f"登记窗口：{answers.get('window')}"))
    count = identity.tidy(answers.get("companions"))
    said.append(("companions", f"随行{int(count)}人" if count.isdigit() and int(count) else ""))
    relation = visits.relations.get(answers.get("relation"))
    if answers.manner == "agent" and relation is not None:
        said.append(("relation", f"到场人是{relation.label}，应有{relation.proof}"))
    said.append(("guardian", answers.get("guardian_words") and f"监护情况：{answers.get('guardian_words')}"))
    for index, person in enumerate(answers.named):
        if person.get("no_id", "").strip() and not person.get("id_no", "").strip():
            said.append(("no_id", f"第{index + 1}人未出示证件：{person['no_id'].strip()}"))
    if answers.get("outside") == "yes":
        said.append(("outside_level", f"超出本级职权，已登记并告知到{answers.get('outside_words')}反映"))
    papers = documents_of(answers)
    if papers:
        how = {"returned": "原件已当场退还", "copies": "只收复印件", "kept": "原件暂存，另附收据"}
        said.append(("documents", f"收到材料{len(papers)}件，{how.get(answers.get('originals'), '')}"))
    if answers.get("read_at"):
        signed = SIGNED.get(answers.get("signed"), "")
        why = f"（{answers.get('signed_words')}）" if answers.get("signed_words") else ""
        who = answers.get("read_by").removeprefix("officer:")
        said.append(("read_back", f"{answers.get('read_at')}由{who}向来访人宣读，确认无误，{signed}{why}"))
    return tuple(Note(stage=NAME, code=code, words=words) for code, words in said if words)


def documents_of(answers: Answers) -> tuple[str, ...]:
    """The papers that were handed over, one a line."""
    return tuple(line.strip() for line in answers.get("documents").split("\n") if line.strip())


def line_problems(name: str, label: str, value: str) -> list[Problem]:
    """Problems of one short line that may be empty."""
    if UNSEEN.search(value):
        return [Problem(name, "unseen", f"{label}里有无法显示的控制符，请删掉。")]
    return [Problem(name, "long", f"{label}最多{LINE_MAX}个字。")] if len(value) > LINE_MAX else []


def _check_people(answers: Answers, visits: Visits, today: date) -> list[Problem]:
    if answers.manner == "anonymous":
        return []
    found = []
    # One who speaks for a group is enough: at a counter the others stand beside and are counted.
    least = 1 if answers.manner == "joint" else answers.expected()
    for index in range(max(len(answers.named), least)):
        person = answers.people[index] if index < len(answers.people) else {}
        for problem in check_person(answers, index, today):
            if not _excused(problem, person):
                words = problem.words
                if problem.field == "id_no" and not person.get("id_no", "").strip():
                    words = "请填写证件号码；没有出示证件的，请写明原因。"
                found.append(Problem(f"people.{index}.{problem.field}", problem.code, words))
        found += line_problems(f"people.{index}.no_id", "未出示证件的原因", person.get("no_id", ""))
    if answers.manner == "joint":
        found += _check_group(answers, visits)
    if answers.manner == "agent" and answers.get("relation") not in visits.relations:
        found.append(Problem("relation", "empty", "请选择到场人与当事人的关系。"))
    if answers.manner == "self" and answers.named and not answers.get("guardian_words"):
        age = age_of(answers.named[0], today)
        if age is not None and age < visits.adult_age:
            words = (
                f"来访人未满{visits.adult_age}周岁（{visits.adult_article}）：请改选“监护人或代理人”，"
                "监护人没有到场的，请写明监护情况。"
            )
            found.append(Problem("guardian_words", "minor", words))
    return found


def _excused(problem: Problem, person: object) -> bool:
    """Somebody may have no telephone, and no papers with them if the reason is written down."""
    typed = person if isinstance(person, dict) else {}
    if problem.field == "phone":
        return problem.code == "empty"
    without = not typed.get("id_no", "").strip() and bool(typed.get("no_id", "").strip())
    return problem.field in ("id_no", "id_type") and without


def _check_group(answers: Answers, visits: Visits) -> list[Problem]:
    found = []
    roles = [answers.role(index) for index in range(len(answers.people))]
    if roles.count(Role.REPRESENTATIVE) > visits.representatives:
        words = f"代表最多{visits.representatives}人（{visits.representatives_article}），多出的请改为同来人员。"
        found.append(Problem("people", "representatives", words))
    if len(answers.people) > PEOPLE_MAX:
        found.append(Problem("people", "too_many", f"这里最多写{PEOPLE_MAX}人，其余的人请在签名页上签名后扫描。"))
    count = identity.tidy(answers.get("headcount"))
    least = max(2, len(answers.people))
    if not re.fullmatch(r"[0-9]{1,6}", count) or int(count) < least:
        found.append(Problem("headcount", "range", f"来访人数请用数字填写，不少于已写的{least}人。"))
    return found


def age_of(person: object, today: date) -> int | None:
    """Full years by the resident ID number; None where it does not tell."""
    typed = person if isinstance(person, dict) else {}
    if typed.get("id_type") != IdType.RESIDENT_ID:
        return None
    birth = identity.check_resident_id(typed.get("id_no", ""), today=today).birth
    return None if birth is None else today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def _check_count(name: str, label: str, typed: str, most: int) -> list[Problem]:
    count = identity.tidy(typed)
    if not count or (re.fullmatch(r"[0-9]{1,6}", count) and int(count) <= most):
        return []
    return [Problem(name, "number", f"{label}请用数字填写，最大{most}。")]
