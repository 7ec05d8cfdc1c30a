"""Repeats: link, joint group or new, asked of a memory that remembers what it was asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from normalizer.candidates import EarlierCase, PersonKey, Standing, keys_of
from normalizer.draft import Draft
from normalizer.likeness import Grams, likeness
from normalizer.pipeline import Pipeline, ReadingParts, build
from petition.people import Accused, Person, Role
from petition.petition import RelatedKind
from tests.normalizer.conftest import arrival

ZHANG = Person(name="张示例", id_no="620199198503120012", mobile="15400000001", address="兰州市城关区示例街道")
LI = Person(name="李演示", mobile="15400000002", address="兰州市城关区演示街道")
PROPERTY = "城关区演示小区物业从一月起每平方米多收六角物业费,公共车位收益从来没有公示,要求公开账目、退还多收的费用。"
REWORDED = "打电话催问:城关区演示小区的物业费涨价没有退,公共车位的收益账目到现在不公示。"
NEIGHBOUR = "城关区演示小区物业公司每平方米多收六角物业费,车位公共收益没有公示过,我们业主要求公开账目退还费用。"
OTHER = "城关区样本路的窨井盖丢了三个,夜里有人骑车摔进去,请尽快补上。"


class Memory:
    """A memory of a few cases; remembers the questions."""

    def __init__(self, *cases: EarlierCase) -> None:
        self.cases = cases
        self.asked: list[tuple[PersonKey, ...]] = []
        self.regions: list[tuple[str, int]] = []

    def by_people(self, keys: Sequence[PersonKey]) -> Iterable[EarlierCase]:
        self.asked.append(tuple(keys))
        return [case for case in self.cases if case.keys & set(keys)]

    def by_region(self, region: str, limit: int) -> Iterable[EarlierCase]:
        self.regions.append((region, limit))
        return [case for case in self.cases if case.region.startswith(region)][:limit]


@pytest.fixture(scope="module")
def first(parts: ReadingParts) -> EarlierCase:
    """Zhang's case about the property firm."""
    pipeline = build(parts, Memory())
    draft = pipeline.read(Draft.of(arrival(raw_id="first", content=PROPERTY, petitioners=(ZHANG,))))
    return EarlierCase.of(draft.to_petition("FIRST"), Standing.OPEN)


def _read(parts: ReadingParts, memory: Memory, content: str, *people: Person, **said: Any) -> Draft:
    pipeline: Pipeline = build(parts, memory)
    return pipeline.read(Draft.of(arrival(content=content, petitioners=people, **said)))


OUTCOMES = [
    ("the same words by the same person", PROPERTY, ZHANG, RelatedKind.LINK, True),
    ("other words by the same person", REWORDED, ZHANG, RelatedKind.LINK, True),
    ("the same mobile only", REWORDED, Person(name="张女士示例", mobile="15400000001"), RelatedKind.LINK, True),
    ("a neighbour with the same matter", NEIGHBOUR, LI, RelatedKind.JOINT, False),
    ("the same person with another matter", OTHER, ZHANG, None, False),
    ("a neighbour with another matter", OTHER, LI, None, False),
]


@pytest.mark.parametrize(("label", "content", "person", "kind", "repeat"), OUTCOMES, ids=[row[0] for row in OUTCOMES])
def test_three_outcomes(
    parts: ReadingParts,
    first: EarlierCase,
    label: str,
    content: str,
    person: Person,
    kind: RelatedKind | None,
    repeat: bool,
) -> None:
    draft = _read(parts, Memory(first), content, person)
    assert [row.kind for row in draft.related] == ([kind] if kind else [])
    assert (draft.is_repeat, draft.is_first) == (repeat, not repeat)
    if repeat:
        assert (draft.first_case_no, draft.repeat_count) == ("FIRST", 1)
        assert 0 < draft.evidence["is_repeat"].confidence < 1
    for row in draft.related:
        assert 0 < row.score <= 1
        assert "15400000001" not in row.reason


STANDINGS = [
    (Standing.OPEN, "REPEAT_OPEN"),
    (Standing.TERMINATED, "REPEAT_TERMINATED"),
    (Standing.CONCLUDED, ""),
]


@pytest.mark.parametrize(("standing", "code"), STANDINGS)
def test_the_standing_of_the_first_case_is_told(
    parts: ReadingParts, first: EarlierCase, standing: Standing, code: str
) -> None:
    known = EarlierCase(
        case_no=first.case_no,
        text=first.text,
        category=first.category,
        region=first.region,
        keys=first.keys,
        standing=standing,
    )
    draft = _read(parts, Memory(known), PROPERTY, ZHANG)
    found = {note.code for note in draft.notes} & {"REPEAT_OPEN", "REPEAT_TERMINATED"}
    assert found == ({code} if code else set())


def test_a_chain_of_repeats_keeps_its_first_number(parts: ReadingParts, first: EarlierCase) -> None:
    second = EarlierCase(
        case_no="SECOND",
        text=PROPERTY,
        category=first.category,
        region=first.region,
        keys=first.keys,
        first_case_no="FIRST",
        repeat_count=1,
    )
    draft = _read(parts, Memory(second, first), PROPERTY, ZHANG)
    assert (draft.first_case_no, draft.repeat_count) == ("FIRST", 2)


def test_a_case_read_again_does_not_find_itself(parts: ReadingParts, first: EarlierCase) -> None:
    draft = _read(parts, Memory(first), PROPERTY, ZHANG, raw_id="first")
    assert draft.related == ()


def test_the_memory_is_asked_for_people_then_for_the_county(parts: ReadingParts) -> None:
    memory = Memory()
    _read(parts, memory, PROPERTY, ZHANG)
    assert {key.kind for key in memory.asked[0]} == {"id_no", "mobile", "name"}
    assert PersonKey("name", "张示例|620102") in memory.asked[0]
    assert [region for region, _ in memory.regions] == ["620102"]


def test_nobody_and_nowhere_is_not_asked_for(parts: ReadingParts) -> None:
    memory = Memory()
    _read(parts, memory, "路灯坏了")
    assert (memory.asked, memory.regions) == ([], [])


def test_an_agent_does_not_tie_his_neighbours_together() -> None:
    agent = Person(name="钱代理", mobile="+8615400000012", role=Role.AGENT)
    principal = Person(name="吴样例", id_no="620199194010190102", role=Role.PRINCIPAL)
    assert {key.value for key in keys_of((principal, agent), (), "620982")} == {"620199194010190102", "吴样例|620982"}
    assert PersonKey("mobile", "+8615400000012") in keys_of((agent,), (), "")


def test_anonymous_accusations_meet_by_the_accused(parts: ReadingParts) -> None:
    text = "检举榆中县示例村村支书贪污修路款,虚列开支,装进自己腰包。"
    accused = (Accused(unit="示例村", post="村支书"),)
    before = Draft.of(arrival(raw_id="before", content=text, accused=accused))
    pipeline = build(parts, Memory())
    known = EarlierCase.of(pipeline.read(before).to_petition("FIRST"), Standing.OPEN)
    draft = _read(parts, Memory(known), text, accused=accused)
    assert [row.kind for row in draft.related] == [RelatedKind.LINK]
    assert not draft.is_repeat  # the accused alone is too weak to say so


LIKENESS = [
    ("一模一样的话", "一模一样的话", 1.0),
    ("完全不同", "毫无关联", 0.0),
    ("", "什么", 0.0),
    ("123456", "123456", 0.0),
    ("尊敬的领导您好", "尊敬的领导您好", 0.0),
]


@pytest.mark.parametrize(("one", "other", "expected"), LIKENESS)
def test_likeness(parts: ReadingParts, one: str, other: str, expected: float) -> None:
    grams = Grams(parts.words.groups["likeness.stop"])
    assert likeness(grams.of(one), grams.of(other)) == pytest.approx(expected)
