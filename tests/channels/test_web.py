"""The web form: what it says about odd input, and what it makes of good input."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime

import pytest

from channels.answers import PAGES, Answers
from channels.web import (
    CONTENT_MAX,
    REPRESENTATIVES_MAX,
    arrival_of,
    check_person,
    check_step,
    check_supplement,
    supplement_of,
)
from petition.arrival import Upload
from petition.attachment import AttachmentRole
from petition.clock import SHANGHAI
from petition.people import Accused, Gender, IdType, Role
from petition.petition import Form, Purpose

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=SHANGHAI)

ZHANG = {
    "name": "张示例",
    "id_type": "RESIDENT_ID",
    "id_no": "620199198503120012",
    "phone": "15400000001",
    "address": "兰州市城关区示例街道演示小区1号楼",
}
LI = {
    "name": "李演示",
    "id_type": "RESIDENT_ID",
    "id_no": "620199199007260029",
    "phone": "0931-8123456",
    "address": "兰州市安宁区样例路2号",
}
GOOD = Answers(
    {
        "manner": "self",
        "region": "620102",
        "occur_place": "演示小区",
        "year": "2026",
        "month": "1",
        "day": "",
        "purpose": "APPEAL",
        "title": "反映演示小区物业公共收益不公开",
        "content": "物业自2026年1月起每平方米多收0.6元。\r\n公共收益从未公示。",
        "requests": "1. 公开公共收益\n(2)退还多收物业费\n3.5万元押金退还\n",
        "accused_unit": "甘肃示例物业有限公司",
        "is_public": "yes",
        "confidential": "no",
    },
    (ZHANG,),
)


def codes(step: str, answers: Answers) -> dict[str, str]:
    """Field to code of everything that must be mended on a page."""
    known = {"620102", "620000"}.__contains__
    return {each.field: each.code for each in check_step(step, answers, today=TODAY, known_region=known)}


def test_good_answers_need_no_mending() -> None:
    assert codes("check", GOOD) == {}


@pytest.mark.parametrize(
    ("step", "typed", "expected"),
    [
        ("who", {"manner": ""}, {"manner": "empty"}),
        ("who", {"manner": "president"}, {"manner": "empty"}),
        ("region", {"region": ""}, {"region": "empty"}),
        ("region", {"region": "999999"}, {"region": "empty"}),
        ("scene", {"occur_place": "演示\u202e小区"}, {"occur_place": "unseen"}),
        ("scene", {"occur_place": "长" * 201}, {"occur_place": "long"}),
        ("scene", {"year": "2027", "month": ""}, {"year": "future"}),
        ("scene", {"year": "2026", "month": "11", "day": "21"}, {"year": "future"}),
        ("scene", {"year": "2026", "month": "11", "day": "20"}, {}),
        ("scene", {"year": "２０２６", "month": "１"}, {}),
        ("scene", {"year": "26"}, {"year": "year"}),
        ("scene", {"year": "", "month": "3"}, {"year": "year"}),
        ("scene", {"year": "2026", "month": "13"}, {"month": "month"}),
        ("scene", {"year": "2026", "month": "", "day": "3"}, {"month": "month"}),
        ("scene", {"year": "2026", "month": "2", "day": "30"}, {"day": "day"}),
        ("scene", {"year": "2026", "month": "2", "day": "三"}, {"day": "day"}),
        ("scene", {"year": "2026", "month": "2", "day": "9" * 30}, {"day": "day"}),
        ("scene", {"year": "", "month": "", "day": ""}, {}),
        ("purpose", {"purpose": "REVOLT"}, {"purpose": "empty"}),
        ("story", {"title": "", "content": ""}, {"title": "empty", "content": "empty"}),
        ("story", {"title": "\u200b\u200b"}, {"title": "empty"}),
        ("story", {"title": "题" * 61}, {"title": "long"}),
        ("story", {"content": "太短"}, {"content": "short"}),
        ("story", {"content": "长" * (CONTENT_MAX + 1)}, {"content": "long"}),
        ("story", {"content": "物业\x00多收费,从来没有公示过"}, {"content": "unseen"}),
        ("story", {"content": "物业\u2067多收费,从来没有公示过"}, {"content": "unseen"}),
        ("story", {"content": "物业\ufffd多收费,从来没有公示过"}, {"content": "unseen"}),
        ("story", {"content": "𠮷先生👨‍👩‍👧说物业多收费😀,从来没有公示"}, {}),
        ("requests", {"requests": ""}, {"requests": "empty"}),
        ("requests", {"requests": "", "purpose": "CONSULT"}, {}),
        ("requests", {"requests": "\n".join(["退钱"] * 21)}, {"requests": "too_many"}),
        ("requests", {"requests": "退" * 501}, {"requests": "long"}),
        ("accused", {"accused_unit": "", "accused_name": ""}, {}),
        ("accused", {"accused_unit": "", "accused_name": "", "purpose": "ACCUSATION"}, {"accused_unit": "empty"}),
        ("accused", {"accused_unit": "", "accused_name": "某甲", "purpose": "ACCUSATION"}, {}),
        ("wishes", {"is_public": "", "confidential": "maybe"}, {"is_public": "empty", "confidential": "empty"}),
        ("wishes", {"is_public": "", "confidential": "", "purpose": "ACCUSATION"}, {}),
        ("evidence", {}, {}),
    ],
)
def test_each_page_says_what_must_be_mended(step: str, typed: dict[str, str], expected: dict[str, str]) -> None:
    assert codes(step, GOOD.put(typed)) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"name": ""}, {"name": "empty"}),
        ({"name": "长" * 300}, {"name": "long"}),
        ({"name": "张\x00示例"}, {"name": "unseen"}),
        ({"name": "张\u202e示例"}, {"name": "unseen"}),
        ({"name": "张示例😀"}, {"name": "signs"}),
        ({"name": "𠮷示例"}, {}),
        ({"name": "卓玛·示例"}, {}),
        ({"id_no": ""}, {"id_no": "id_empty"}),
        ({"id_no": "620199198503120013"}, {"id_no": "id_check"}),
        ({"id_no": "62019919900230001X"}, {"id_no": "id_birth"}),
        ({"id_no": "６２０１９９１９８５０３１２００１２"}, {}),
        ({"id_type": "PASSPORT", "id_no": "E 1234567"}, {}),
        ({"id_type": "PASSPORT", "id_no": "护照"}, {"id_no": "id_no"}),
        ({"id_type": "", "id_no": "1"}, {"id_type": "empty"}),
        ({"id_type": "USCC", "name": "甘肃示例物业有限公司", "id_no": "91620199MA7FAKE015"}, {}),
        ({"id_type": "USCC", "id_no": "91620199MA7FAKE01S"}, {"id_no": "uscc_characters"}),
        ({"phone": ""}, {"phone": "empty"}),
        ({"phone": "12400000001"}, {"phone": "phone"}),
        ({"phone": "0931-12345"}, {"phone": "phone"}),
        ({"phone": "+86 154-0000-0001"}, {}),
        ({"address": ""}, {"address": "empty"}),
        ({"address": "路" * 201}, {"address": "long"}),
    ],
)
def test_a_person_is_checked_field_by_field(typed: dict[str, str], expected: dict[str, str]) -> None:
    answers = Answers({"manner": "self"}, ({**ZHANG, **typed},))
    assert {each.field: each.code for each in check_person(answers, 0, TODAY)} == expected
    assert codes("people", answers) == {f"people.0.{name}": code for name, code in expected.items()}


def test_words_name_the_place_of_a_hidden_sign() -> None:
    (problem,) = check_step("story", GOOD.put({"title": "物业\x00收费"}), today=TODAY)
    assert "第3个字" in problem.words


def test_a_principal_without_a_telephone_and_a_co_signer_without_papers_are_taken() -> None:
    agent = Answers({"manner": "agent"}, ({**ZHANG, "phone": ""}, LI))
    assert codes("people", agent) == {}
    joint = Answers({"manner": "joint", "headcount": "18"}, (ZHANG, {"name": "王样本"}))
    assert codes("people", joint) == {}


@pytest.mark.parametrize(
    ("headcount", "expected"),
    [
        ("18", {}),
        ("１８", {}),
        ("1", {"headcount": "range"}),
        ("很多", {"headcount": "number"}),
        ("", {"headcount": "number"}),
        ("999999", {"headcount": "range"}),
    ],
)
def test_a_joint_petition_counts_its_people(headcount: str, expected: dict[str, str]) -> None:
    answers = Answers({"manner": "joint", "headcount": headcount}, (ZHANG, {"name": "王样本"}))
    assert codes("people", answers) == expected


def test_the_sixth_representative_is_refused() -> None:
    others = tuple({**LI, "role": "REPRESENTATIVE"} for _ in range(REPRESENTATIVES_MAX))
    answers = Answers({"manner": "joint", "headcount": "13"}, (ZHANG, *others))
    assert codes("people", answers) == {"people": "representatives"}
    fewer = answers.drop_person(5)
    assert codes("people", fewer) == {}


def test_missing_people_are_named() -> None:
    assert codes("people", Answers({"manner": "agent"}, (ZHANG,))).keys() >= {"people.1.name", "people.1.phone"}


def test_the_arrival_holds_normal_forms_and_the_words_as_typed() -> None:
    upload = Upload(name="照片.jpg", media_type="image/jpeg", body=b"x", role=AttachmentRole.EVIDENCE)
    arrival = arrival_of(GOOD.put({"notice": "2026-11"}), [upload], ["ab" * 32], "draft-1", NOW, Form.WEB)
    said = arrival.statement
    assert (arrival.channel, arrival.form, arrival.raw_id) == ("web", Form.WEB, "draft-1")
    assert arrival.petition_date == date(2026, 11, 20)
    (person,) = said.petitioners
    assert (person.role, person.mobile, person.gender) == (Role.SELF, "+8615400000001", Gender.MALE)
    assert person.id_no == "620199198503120012"
    assert said.requests == ("公开公共收益", "退还多收物业费", "3.5万元押金退还")
    assert said.occur_time == "2026-01"
    assert said.accused == (Accused(unit="甘肃示例物业有限公司"),)
    assert (said.is_public, said.confidential, said.headcount) == (True, False, 1)
    assert said.content == "物业自2026年1月起每平方米多收0.6元。\n公共收益从未公示。"
    assert said.privacy_notice_version == "2026-11"
    raw = json.loads(arrival.raw)
    assert raw["answers"]["fields"]["content"].count("\r\n") == 1
    assert raw["files"] == [{"media_type": "image/jpeg", "name": "照片.jpg", "role": "EVIDENCE", "sha256": "ab" * 32}]


def test_the_same_answers_give_the_same_bytes() -> None:
    other = Answers(dict(reversed(list(GOOD.fields.items()))), GOOD.people)
    first, second = (arrival_of(each, [], [], "r", NOW, Form.WEB) for each in (GOOD, other))
    assert first.raw == second.raw


def test_an_anonymous_petition_is_a_sealed_accusation_without_people() -> None:
    answers = GOOD.put({"manner": "anonymous", "is_public": "yes", "confidential": "no"})
    said = arrival_of(answers, [], [], "r", NOW, Form.WEB).statement
    assert (said.is_anonymous, said.purpose, said.petitioners) == (True, Purpose.ACCUSATION, ())
    assert (said.is_public, said.confidential) == (False, True)


def test_an_agent_comes_with_the_principal() -> None:
    wu = {
        "name": "吴样例",
        "id_type": "RESIDENT_ID",
        "id_no": "620199194010190102",
        "phone": "",
        "address": "酒泉市敦煌市",
    }
    answers = Answers({**GOOD.fields, "manner": "agent"}, (wu, LI, ZHANG))
    people = arrival_of(answers, [], [], "r", NOW, Form.KIOSK).statement.petitioners
    assert [(each.role, each.name) for each in people] == [(Role.PRINCIPAL, "吴样例"), (Role.AGENT, "李演示")]
    assert people[1].landline == "0931-8123456"


def test_a_joint_letter_counts_those_who_are_not_named() -> None:
    answers = Answers({**GOOD.fields, "manner": "joint", "headcount": "18"}, (ZHANG, {"name": "王样本"}))
    said = arrival_of(answers, [], [], "r", NOW, Form.WEB).statement
    assert (said.headcount, said.is_joint_letter) == (18, True)
    assert [each.role for each in said.petitioners] == [Role.REPRESENTATIVE, Role.COSIGNER]
    assert said.petitioners[1].id_type is None


def test_an_organisation_is_told_by_its_credit_code() -> None:
    org = {**ZHANG, "name": "甘肃示例物业有限公司", "id_type": "USCC", "id_no": "91620199ma7fake015"}
    (person,) = arrival_of(replace(GOOD, people=(org,)), [], [], "r", NOW, Form.WEB).statement.petitioners
    assert (person.id_type, person.org_name, person.uscc) == (
        IdType.USCC,
        "甘肃示例物业有限公司",
        "91620199MA7FAKE015",
    )


def test_a_supplement_names_its_case() -> None:
    arrival = supplement_of("620000W2026112000001X", " 新情况 \r\n", [], [], "supplement-1", NOW)
    assert arrival.sub_source == "supplement:620000W2026112000001X"
    assert arrival.statement.content == "新情况"


@pytest.mark.parametrize(
    ("content", "files", "expected"),
    [("", 0, ["empty"]), ("", 1, []), ("好", 0, []), ("\x00", 1, ["unseen"]), ("长" * 5001, 1, ["long"])],
)
def test_a_supplement_needs_words_or_a_file(content: str, files: int, expected: list[str]) -> None:
    assert [each.code for each in check_supplement(content, files)] == expected


def test_answers_survive_json_and_strange_shapes() -> None:
    assert Answers.from_dict(json.loads(json.dumps(GOOD.to_dict()))) == GOOD
    assert Answers.from_dict({"fields": [1], "people": {"a": 1}}) == Answers()
    assert Answers.from_dict({"fields": {"manner": 3, "title": "好"}, "people": [None]}) == Answers(
        {"title": "好"}, ({},)
    )


def test_every_page_can_be_checked() -> None:
    empty = Answers()
    assert {page for page, _ in PAGES if not codes(page, empty)} == {"scene", "evidence", "accused"}
