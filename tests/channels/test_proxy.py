"""The agents' door: both persons kept, the mandate there or waited for, the code for the principal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pytest

from channels.answers import Answers
from channels.door import Hall
from channels.proxy import HOLD, Proxy, arrival_of, check_proxy, mandate_of
from config.reference import DATA
from config.visits import load_visits
from petition.arrival import Upload
from petition.attachment import AttachmentRole
from petition.clock import SHANGHAI
from petition.people import Role
from petition.petition import Form

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=SHANGHAI)
VISITS = load_visits(DATA)
PRINCIPAL = {
    "name": "李演示",
    "id_type": "RESIDENT_ID",
    "id_no": "620199199007260029",
    "phone": "15400000002",
    "address": "敦煌市示例镇演示村1号",
}
AGENT = {"name": "钱代理", "phone": "15400000012"}
FIELDS = {
    "manner": "agent",
    "relation": "committee",
    "region": "620982",
    "purpose": "APPEAL",
    "title": "申请核查低保待遇",
    "content": "当事人说低保从上个月起停发，没有收到说明，要求复核。",
    "requests": "复核低保资格",
    "is_public": "no",
    "confidential": "no",
    "mandate": "photo",
    "consent": "yes",
}
PAPER = Upload(name="委托书.jpg", media_type="image/jpeg", body=b"jpeg", role=AttachmentRole.MANDATE)


def filed(people: tuple[Mapping[str, str], ...] = (PRINCIPAL, AGENT), **changes: str) -> Answers:
    return Answers({**FIELDS, **changes}, people)


def codes(answers: Answers, *roles: AttachmentRole) -> dict[str, str]:
    known = {"620982"}.__contains__
    return {each.field: each.code for each in check_proxy(answers, roles, VISITS, today=TODAY, known_region=known)}


# label, what was typed, field and code of the problem; the photo of the mandate is there
CHECKS: list[tuple[str, Answers, dict[str, str]]] = [
    ("all there", filed(), {}),
    ("the principal has no telephone", filed(({**PRINCIPAL, "phone": ""}, AGENT)), {}),
    ("no number and no reason", filed(({**PRINCIPAL, "id_no": ""}, AGENT)), {"people.0.id_no": "id_empty"}),
    ("no number, and why", filed(({**PRINCIPAL, "id_no": "", "no_id": "证件在女儿家"}, AGENT)), {}),
    ("a wrong number", filed(({**PRINCIPAL, "id_no": "620199199007260020"}, AGENT)), {"people.0.id_no": "id_check"}),
    ("the agent cannot be reached", filed((PRINCIPAL, {"name": "钱代理"})), {"people.1.phone": "empty"}),
    ("the agent's number is none", filed((PRINCIPAL, {**AGENT, "phone": "12"})), {"people.1.phone": "phone"}),
    ("nobody knows who the agent is", filed(relation="friend"), {"relation": "empty"}),
    ("a second agent", filed(second_name="孙代理", second_phone="15400000013"), {}),
    ("a second agent without a telephone", filed(second_name="孙代理"), {"second_phone": "empty"}),
    ("a telephone without a second agent", filed(second_phone="15400000013"), {"second_name": "empty"}),
    ("the principal has not agreed", filed(consent=""), {"consent": "empty"}),
    ("nothing said of the mandate", filed(mandate=""), {"mandate": "empty"}),
    ("an unknown place", filed(region=""), {"region": "empty"}),
]


@pytest.mark.parametrize(("answers", "problems"), [case[1:] for case in CHECKS], ids=[case[0] for case in CHECKS])
def test_what_is_to_be_mended(answers: Answers, problems: dict[str, str]) -> None:
    assert codes(answers, AttachmentRole.MANDATE) == problems


def test_a_photo_that_is_not_there_is_asked_for() -> None:
    assert codes(filed()) == {"files": "mandate"}
    assert codes(filed(), AttachmentRole.EVIDENCE) == {"files": "mandate"}
    assert codes(filed(mandate="later")) == {}


def test_both_persons_are_kept_and_the_code_goes_to_the_principal() -> None:
    made = arrival_of(filed(second_name="孙代理", second_phone="15400000013"), (PAPER,), ("d",), "id", NOW, VISITS)
    assert (made.channel, made.form, made.hold) == ("proxy", Form.WEB, "")
    assert [(each.role, each.name, each.mobile) for each in made.statement.petitioners] == [
        (Role.PRINCIPAL, "李演示", "+8615400000002"),
        (Role.AGENT, "钱代理", "+8615400000012"),
        (Role.AGENT, "孙代理", "+8615400000013"),
    ]
    assert made.text_to == "+8615400000002"
    assert made.statement.headcount == 1, "an agent speaks for the principal only"
    assert {"relation", "mandate", "consent"} == {note.code for note in made.notes}


def test_without_the_mandate_it_waits_for_a_person() -> None:
    made = arrival_of(filed(mandate="later"), (), (), "id", NOW, VISITS)
    assert made.hold == HOLD


def test_without_a_mobile_of_the_principal_nobody_is_texted() -> None:
    made = arrival_of(filed(({**PRINCIPAL, "phone": ""}, AGENT)), (PAPER,), ("d",), "id", NOW, VISITS)
    assert made.text_to == "", "the code is not the agent's"


def test_a_mandate_that_comes_later_joins_its_case() -> None:
    made = mandate_of("620000W20261120000017", (PAPER,), ("d",), "mandate-1", NOW)
    assert (made.channel, made.sub_source) == ("proxy", "supplement:620000W20261120000017")


def test_the_door_opens_no_route() -> None:
    hall: Any = Hall
    assert Proxy().routes(hall) == []
