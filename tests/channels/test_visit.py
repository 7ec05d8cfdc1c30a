"""The counter's door: what it says about odd records, and what it makes of good ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pytest

from channels.answers import Answers
from channels.door import Hall
from channels.visit import DOCUMENTS_MAX, Visit, age_of, arrival_of, check_read_back, check_visit
from config.reference import DATA
from config.visits import load_visits
from petition.clock import SHANGHAI
from petition.identity import resident_check_character
from petition.people import IdType, Role
from petition.petition import Form

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=SHANGHAI)
VISITS = load_visits(DATA)

ZHANG = {
    "name": "张示例",
    "id_type": "RESIDENT_ID",
    "id_no": "620199198503120012",
    "phone": "15400000001",
    "address": "兰州市城关区示例街道演示小区1号楼",
}
LI = {**ZHANG, "name": "李演示", "id_no": "620199199007260029", "phone": ""}
FIELDS = {
    "manner": "self",
    "region": "620102",
    "purpose": "APPEAL",
    "title": "反映征地补偿标准不一致",
    "content": "同一个项目前后两期的补偿标准不一样，问过镇上两次。",
    "requests": "说明两期标准不同的依据",
    "is_public": "no",
    "confidential": "no",
}
CHILD = {**ZHANG, "id_no": "62019920150501003" + resident_check_character("62019920150501003")}


def visit(people: tuple[Mapping[str, str], ...] = (ZHANG,), **changes: str) -> Answers:
    return Answers({**FIELDS, **changes}, people)


def codes(answers: Answers) -> dict[str, str]:
    found = check_visit(answers, VISITS, today=TODAY, known_region={"620102"}.__contains__)
    return {each.field: each.code for each in found}


def arrival(answers: Answers) -> Any:
    return arrival_of(answers, (), (), "draft-1", NOW, VISITS)


def test_a_good_record_needs_no_mending() -> None:
    assert codes(visit()) == {}


def test_the_door_opens_no_route() -> None:
    hall: Any = Hall
    assert Visit().routes(hall) == []


def group(representatives: int, others: int, count: str) -> Answers:
    people = [{**ZHANG, "role": "REPRESENTATIVE"}] * representatives + [{**LI, "role": "COSIGNER"}] * others
    return visit(tuple(people), manner="joint", headcount=count)


# label, the record, field and code of the problem; empty: none
CHECKS: list[tuple[str, Answers, dict[str, str]]] = [
    ("nothing chosen", Answers(), {"manner": "empty"}),
    ("wrong check character", visit(({**ZHANG, "id_no": "620199198503120013"},)), {"people.0.id_no": "id_check"}),
    ("no number and no reason", visit(({**ZHANG, "id_no": ""},)), {"people.0.id_no": "id_empty"}),
    ("no papers with a reason", visit(({**ZHANG, "id_no": "", "no_id": "证件遗失，正在补办"},)), {}),
    (
        "a wrong number is not excused",
        visit(({**ZHANG, "id_no": "1", "no_id": "遗失"},)),
        {"people.0.id_no": "id_length"},
    ),
    ("no telephone", visit(({**ZHANG, "phone": ""},)), {}),
    ("a wrong telephone", visit(({**ZHANG, "phone": "12345"},)), {"people.0.phone": "phone"}),
    ("no address", visit(({**ZHANG, "address": ""},)), {"people.0.address": "empty"}),
    ("five represent thirteen", group(5, 0, "13"), {}),
    ("six do not", group(6, 0, "13"), {"people": "representatives"}),
    ("six of whom five represent", group(5, 1, "13"), {}),
    ("fewer than named", group(3, 0, "2"), {"headcount": "range"}),
    ("a group without a number", group(3, 0, ""), {"headcount": "range"}),
    ("a child alone", visit((CHILD,)), {"guardian_words": "minor"}),
    ("a child, and who looks after it", visit((CHILD,), guardian_words="随祖母生活，已联系村委会"), {}),
    ("a child with the mother", visit((CHILD, LI), manner="agent", relation="guardian"), {}),
    ("an agent of whom nothing is known", visit((ZHANG, LI), manner="agent"), {"relation": "empty"}),
    (
        "an agent without the principal",
        visit((ZHANG,), manner="agent", relation="relative"),
        {"people.1.name": "empty"},
    ),
    ("too far up, and not said where to go", visit(outside="yes"), {"outside_words": "empty"}),
    ("papers, and nothing said of the originals", visit(documents="合同1份"), {"originals": "empty"}),
    ("too many papers", visit(documents="\n".join(["纸"] * (DOCUMENTS_MAX + 1))), {"documents": "too_many"}),
    ("companions in words", visit(companions="几个"), {"companions": "number"}),
    ("an unknown place", visit(region="999999"), {"region": "empty"}),
    ("too short", visit(content="太短"), {"content": "short"}),
    ("a hidden sign", visit(window="3\u202e号"), {"window": "unseen"}),
    ("without a name, an accusation", visit((), manner="anonymous", accused_unit="示例单位"), {}),
]


@pytest.mark.parametrize(("answers", "problems"), [case[1:] for case in CHECKS], ids=[case[0] for case in CHECKS])
def test_what_is_to_be_mended(answers: Answers, problems: dict[str, str]) -> None:
    found = codes(answers)
    assert {field: found.get(field) for field in problems} == problems
    assert bool(found) == bool(problems)


READ: list[tuple[str, dict[str, str], set[str]]] = [
    ("nothing yet", {}, {"read_back", "signed"}),
    ("read and signed", {"read_back": "yes", "signed": "paper"}, set()),
    ("signed on the pad, not read", {"signed": "pad"}, {"read_back"}),
    ("refused without a reason", {"read_back": "yes", "signed": "refused"}, {"signed_words"}),
    ("refused", {"read_back": "yes", "signed": "refused", "signed_words": "要求先答复"}, set()),
    ("signed in another way", {"read_back": "yes", "signed": "later"}, {"signed"}),
]


@pytest.mark.parametrize(("fields", "problems"), [case[1:] for case in READ], ids=[case[0] for case in READ])
def test_a_record_counts_once_it_was_read_back(fields: dict[str, str], problems: set[str]) -> None:
    assert {each.field for each in check_read_back(visit((ZHANG,), **fields))} == problems


def test_what_becomes_of_a_visit() -> None:
    said = {
        **{"companions": "2", "ticket": "12", "window": "3号", "outside": "yes", "outside_words": "城关区法院"},
        **{"documents": "合同1份\n收据2张", "originals": "returned"},
        **{"read_back": "yes", "read_at": "2026-11-20 09:28", "read_by": "officer:yanshi", "signed": "paper"},
    }
    made = arrival(visit((ZHANG,), **said))
    assert (made.channel, made.form, made.raw_id, made.hold) == ("visit", Form.VISIT, "draft-1", "")
    assert made.statement.is_skip_level, "registered all the same"
    [person] = made.statement.petitioners
    assert (person.role, person.name, person.mobile) == (Role.SELF, "张示例", "+8615400000001")
    notes = {note.code: note.words for note in made.notes}
    assert notes["read_back"] == "2026-11-20 09:28由yanshi向来访人宣读，确认无误，纸质签名"
    assert notes["documents"] == "收到材料2件，原件已当场退还"
    assert "城关区法院" in notes["outside_level"]
    assert {"ticket", "window", "companions"} <= set(notes)
    assert json.loads(made.raw)["answers"]["fields"]["content"] == FIELDS["content"], "word by word"


def test_a_group_visit_is_no_joint_letter() -> None:
    said = arrival(group(5, 1, "13")).statement
    assert (said.headcount, said.is_joint_letter) == (13, False)
    assert [person.role for person in said.petitioners] == [Role.REPRESENTATIVE] * 5 + [Role.COSIGNER]


def test_a_guardian_and_the_child_are_both_kept() -> None:
    made = arrival(visit((CHILD, LI), manner="agent", relation="guardian"))
    assert [person.role for person in made.statement.petitioners] == [Role.PRINCIPAL, Role.AGENT]
    assert any(note.code == "relation" and "监护人" in note.words for note in made.notes)


def test_a_visitor_without_papers_has_no_number_and_the_reason_is_noted() -> None:
    made = arrival(visit(({**ZHANG, "id_no": "", "no_id": "证件遗失"},)))
    assert (made.statement.petitioners[0].id_no, made.statement.petitioners[0].id_type) == ("", None)
    assert [note.words for note in made.notes] == ["第1人未出示证件：证件遗失"]


def test_number_and_code_are_sent_to_the_visitor_never_to_an_agent() -> None:
    assert arrival(visit()).text_to == "+8615400000001"
    assert arrival(visit((CHILD, LI), manner="agent", relation="guardian")).text_to == "+8615400000001"
    assert arrival(visit(({**CHILD, "phone": ""}, ZHANG), manner="agent", relation="guardian")).text_to == ""
    assert arrival(visit(join="620000W20261120000017")).text_to == "", "the code is the one of the first receipt"


def test_words_that_join_a_case_are_its_supplement() -> None:
    made = arrival(visit(join="620000W20261120000017"))
    assert made.sub_source == "supplement:620000W20261120000017"


@pytest.mark.parametrize(
    ("number", "today", "years"),
    [
        ("620199200811200010", date(2026, 11, 19), 17),
        ("620199200811200010", date(2026, 11, 20), 18),
        ("", TODAY, None),
    ],
)
def test_full_years(number: str, today: date, years: int | None) -> None:
    whole = number and number[:17] + resident_check_character(number[:17])
    assert age_of({"id_type": IdType.RESIDENT_ID.value, "id_no": whole}, today) == years
