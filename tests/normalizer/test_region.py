"""The region stage: the problem place apart from the residence, and what stays open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from normalizer.draft import Draft
from petition.people import Person, Role

Read = Callable[..., Draft]

HOME = Person(name="张示例", address="张掖市甘州区样本镇示例村")

CASES: list[tuple[str, dict[str, Any], str, str, float]] = [
    ("a stated code", {"problem_region": "620102", "content": "肃州区的工地"}, "620102", "stated", 1.0),
    ("a stated village code", {"problem_region": "620102001003"}, "620102001", "stated", 1.0),
    ("a stated name", {"problem_region": "兰州市城关区"}, "620102", "stated", 1.0),
    ("the place of the event", {"occur_place": "永登县城关镇"}, "620121100", "occur_place", 0.9),
    ("the text before the residence", {"content": "在肃州区示例工地务工"}, "620902", "content", 0.9),
    ("the title", {"title": "肃州区示例工地欠薪", "content": "欠薪三个月"}, "620902", "title", 0.9),
    ("home named in the text, trouble elsewhere", {"content": "我家住甘州区,在敦煌市被骗"}, "620982", "content", 0.9),
    ("only home is named", {"content": "我是临泽县村民,路坏了"}, "620723", "content", 0.5),
    ("people from elsewhere", {"content": "几个河南人在景泰县盗采"}, "620423", "content", 0.9),
    ("the deeper of two", {"content": "反映兰州的一件事,安宁区的路口"}, "620105", "content", 0.9),
    ("the residence at last", {"content": "路灯坏了三盏"}, "620702", "residence", 0.3),
    ("a road is no place", {"content": "天水路的路灯坏了"}, "620702", "residence", 0.3),
    ("the salutation is no place", {"content": "尊敬的酒泉市领导:我家暖气不热"}, "620900", "content", 0.4),
]


@pytest.mark.parametrize(("label", "said", "code", "source", "confidence"), CASES, ids=[row[0] for row in CASES])
def test_the_problem_place(
    read: Read, label: str, said: dict[str, Any], code: str, source: str, confidence: float
) -> None:
    draft = read(petitioners=(HOME,), **said)
    assert draft.problem_region == code
    evidence = draft.evidence["problem_region"]
    assert (evidence.source, evidence.confidence) == (source, confidence)


def test_residences_are_filled_in(read: Read) -> None:
    draft = read(petitioners=(HOME, Person(name="李演示", region_code="620102")), content="字")
    assert [person.region_code for person in draft.petitioners] == ["620702", "620102"]
    assert draft.evidence["petitioners.0.region_code"].source == "petitioners.0.address"


def test_the_principal_counts_before_the_agent(read: Read) -> None:
    people = (
        Person(name="钱代理", role=Role.AGENT, address="兰州市城关区"),
        Person(name="吴样例", role=Role.PRINCIPAL, address="敦煌市"),
    )
    assert read(petitioners=people, content="低保停了").problem_region == "620982"


NOTES: list[tuple[str, dict[str, Any], str]] = [
    ("REGION_UNKNOWN", {"content": "路灯坏了"}, ""),
    ("REGION_AMBIGUOUS", {"content": "城关镇的路灯坏了"}, ""),
    ("REGION_SEVERAL", {"content": "反映榆中县和皋兰县的两件事"}, "620123"),
    ("REGION_UNKNOWN_STATED", {"problem_region": "620199", "content": "在肃州区务工"}, "620902"),
    ("REGION_FROM_RESIDENCE", {"content": "路灯坏了", "petitioners": (HOME,)}, "620702"),
    ("REMIT_ELSEWHERE", {"content": "在广东省东莞市示例厂打工欠薪"}, "441900"),
]


@pytest.mark.parametrize(("code", "said", "region"), NOTES, ids=[row[0] for row in NOTES])
def test_what_is_open_is_noted(read: Read, code: str, said: dict[str, Any], region: str) -> None:
    draft = read(**said)
    assert code in {note.code for note in draft.notes}
    assert draft.problem_region == region


def test_an_anonymous_letter_has_no_residence_to_fall_back_on(read: Read) -> None:
    draft = read(content="路灯坏了", is_anonymous=True, petitioners=(HOME,))
    assert draft.problem_region == ""
