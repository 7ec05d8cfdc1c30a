"""The people stage: numbers, agents, head counts, anonymity and help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from normalizer.draft import Draft
from petition.people import Gender, IdType, Person, Role

Read = Callable[..., Draft]


def codes(draft: Draft) -> set[str]:
    """The codes of all notes."""
    return {note.code for note in draft.notes}


NUMBERS = [
    ("a good ID", {"id_no": "620199198503120012"}, set()),
    ("a bad check digit", {"id_no": "620199198503120013"}, {"petitioners.0.id_no"}),
    ("30 February", {"id_no": "62019919900230001X"}, {"petitioners.0.id_no"}),
    ("a passport", {"id_no": "E12345678"}, set()),
    ("a bad mobile", {"mobile": "12400000001"}, {"petitioners.0.mobile"}),
    ("a short landline", {"landline": "0931-12345"}, {"petitioners.0.landline"}),
    ("a bad credit code", {"uscc": "91620199MA7FAKE01S"}, {"petitioners.0.uscc"}),
    ("a good credit code", {"uscc": "91620199MA7FAKE015"}, set()),
]


@pytest.mark.parametrize(("label", "given", "problems"), NUMBERS, ids=[row[0] for row in NUMBERS])
def test_numbers(read: Read, label: str, given: dict[str, Any], problems: set[str]) -> None:
    draft = read(petitioners=(Person(name="张示例", **given),), content="路灯坏了。")
    assert {problem.field for problem in draft.problems} == problems
    field = next(iter(given))
    if problems:
        assert getattr(draft.petitioners[0], field) == given[field]  # what was typed is not lost


def test_normal_forms(read: Read) -> None:
    person = Person(name="张 示例", id_no="６２０１９９１９９３０６１１００８ｘ", mobile="154 0000 0001")
    draft = read(petitioners=(person,), content="路灯坏了。")
    found = draft.petitioners[0]
    assert (found.name, found.id_no, found.mobile) == ("张示例", "62019919930611008X", "+8615400000001")
    assert (found.id_type, found.gender) == (IdType.RESIDENT_ID, Gender.FEMALE)
    assert draft.evidence["petitioners.0.gender"].source == "id_no"


def test_an_unknown_area_is_only_a_warning(read: Read) -> None:
    draft = read(petitioners=(Person(name="张示例", id_no="620198198503120016"),), content="路灯坏了。")
    assert "ID_AREA_UNKNOWN" in codes(draft)
    assert draft.problems == []
    demo = read(petitioners=(Person(name="张示例", id_no="620199198503120012"),), content="路灯坏了。")
    assert "ID_AREA_UNKNOWN" not in codes(demo)


def test_a_gender_that_differs_is_noted_not_changed(read: Read) -> None:
    draft = read(petitioners=(Person(name="张示例", id_no="620199198503120012", gender=Gender.FEMALE),), content="字")
    assert draft.petitioners[0].gender is Gender.FEMALE
    assert "GENDER_DIFFERS" in codes(draft)


AGES = [
    ("620199194010190102", "ASSIST_ELDERLY"),
    ("620199198503120012", ""),
    ("620199201503120017", "ASSIST_MINOR"),
]


@pytest.mark.parametrize(("id_no", "code"), AGES)
def test_help_by_age(read: Read, id_no: str, code: str) -> None:
    found = codes(read(petitioners=(Person(name="吴样例", id_no=id_no),), content="路灯坏了。"))
    assert {"ASSIST_ELDERLY", "ASSIST_MINOR"} & found == ({code} if code else set())


ANONYMOUS = [
    ("nobody", (), True, False),
    ("a word for nobody", (Person(name="(匿名)"),), True, False),
    ("a telephone only", (Person(mobile="15400000001"),), False, True),
    ("a name", (Person(name="张示例"),), False, False),
    ("a firm", (Person(org_name="甘肃示例物业有限公司"),), False, False),
    ("nobody beside a name", (Person(name="匿名"), Person(name="张示例")), False, False),
]


@pytest.mark.parametrize(("label", "people", "anonymous", "missing"), ANONYMOUS, ids=[row[0] for row in ANONYMOUS])
def test_anonymity(read: Read, label: str, people: tuple[Person, ...], anonymous: bool, missing: bool) -> None:
    draft = read(petitioners=people, content="路灯坏了。")
    assert draft.is_anonymous is anonymous
    assert ("NAME_MISSING" in codes(draft)) is missing


def test_a_stated_anonymity_stays(read: Read) -> None:
    assert read(petitioners=(Person(name="张示例"),), content="字", is_anonymous=True).is_anonymous


HEADS = [
    ("王样本等18人称被欠薪", {}, 18, True, False),
    ("9名村民联名反映污染", {}, 9, True, True),
    ("十余户受威胁", {}, 1, False, False),
    ("推选5名代表", {}, 1, False, False),
    ("王样本等18人称被欠薪", {"headcount": 2}, 2, False, False),
    ("我家的事", {"headcount": 5}, 5, True, False),
]


@pytest.mark.parametrize(("content", "said", "count", "group", "joint"), HEADS)
def test_heads(read: Read, content: str, said: dict[str, Any], count: int, group: bool, joint: bool) -> None:
    draft = read(content=content, petitioners=(Person(name="王样本"),), **said)
    assert (draft.headcount, draft.is_group, draft.is_joint_letter) == (count, group, joint)
    assert ("HEADCOUNT_DIFFERS" in codes(draft)) is (content.startswith("王样本") and bool(said))


def test_six_representatives_are_one_too_many(read: Read) -> None:
    def people(number: int) -> tuple[Person, ...]:
        return tuple(Person(name=f"代表{place}示例", role=Role.REPRESENTATIVE) for place in range(number))

    six = read(petitioners=people(6), content="字")
    assert [problem.code for problem in six.problems] == ["REPRESENTATIVES_TOO_MANY"]
    assert read(petitioners=people(5), content="字").problems == []


def test_telephones_in_the_text(read: Read) -> None:
    own = read(petitioners=(Person(name="张示例"),), content="路灯坏了,我的电话15400000031。")
    assert own.petitioners[0].mobile == "+8615400000031"
    assert own.evidence["petitioners.0.mobile"].confidence == 0.6
    other = read(petitioners=(Person(name="张示例"),), content="施工方示例经理15400000031不接。")
    assert other.petitioners[0].mobile == ""
    note = next(note for note in other.notes if note.code == "PHONE_FOUND")
    assert "15400000031" not in note.words
    given = read(petitioners=(Person(name="张示例", mobile="15400000032"),), content="联系电话15400000031。")
    assert given.petitioners[0].mobile == "+8615400000032"


def test_id_numbers_in_the_text_are_masked_in_notes(read: Read) -> None:
    draft = read(petitioners=(Person(name="张示例"),), content="对方身份证620199198704040158。")
    note = next(note for note in draft.notes if note.code == "ID_FOUND")
    assert "19870404" not in note.words


def test_an_agent_stated_is_not_found_again(read: Read) -> None:
    people = (Person(name="吴样例", role=Role.PRINCIPAL), Person(name="钱代理", role=Role.AGENT, mobile="15400000012"))
    draft = read(petitioners=people, content="委托信访代理员钱代理(15400000012)提交。")
    assert len(draft.petitioners) == 2
