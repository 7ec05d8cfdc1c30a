"""Routing: the twelve samples, what happens where no unit is, and who decides instead of the rules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config.routes import Route, Target
from config.units import Units, units_of
from dispatch.conflict import Findings, Guard
from dispatch.courier import Held
from dispatch.routing import Choice, Decision, Routing, matches
from petition.people import Accused, Person
from petition.petition import DispatchType, Form, Petition, Purpose, Urgency
from tests.dispatch.cases import PLAIN, SAMPLES, Sample


def decided(routing: Routing, petition: Petition, choice: Choice | None = None) -> Decision:
    decision = routing.decide(petition, choice)
    assert isinstance(decision, Decision), decision
    return decision


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample.n))
def test_each_sample_goes_where_it_is_expected(sample: Sample, routing: Routing) -> None:
    decision = decided(routing, sample.petition)
    assert decision.unit.code == sample.unit
    assert {unit.code for unit in decision.co_units} == sample.co
    assert decision.turned == ""
    assert decision.rule
    assert "条例" in decision.words


# What is changed in the plain petition (城关区, 物业), where it must go.
PLACES = [
    ("a county without units of its own: the bureau above it", {"problem_region": "620121"}, "620100-xinfang"),
    ("only the city is known: the city's department", {"problem_region": "620100"}, "620100-housing"),
    ("only the province is known", {"problem_region": "620000"}, "620000-housing"),
    ("a township is known: the county's department", {"problem_region": "620102099"}, "620102-housing"),
    ("a village is known: the county's department", {"problem_region": "620102099001"}, "620102-housing"),
    ("no place: the office's own level", {"problem_region": ""}, "620000-housing"),
    ("another province: the office's own bureau", {"problem_region": "110101"}, "620000-xinfang"),
    ("an unusable place: the office's own bureau", {"problem_region": "x"}, "620000-xinfang"),
    ("no class: the county's bureau", {"category": ""}, "620102-xinfang"),
    ("an unknown class: the county's bureau", {"category": "99"}, "620102-xinfang"),
    ("no purpose yet: by class", {"purpose": None}, "620102-housing"),
    ("a subsidy, the township known by its code", {"category": "01.04", "problem_region": "620702199"},
     "620702199-township_government"),
    ("a subsidy, the township not known", {"category": "01.04", "problem_region": "620702"}, "620702-agriculture"),
    ("a subsidy, no township in this county", {"category": "01.04", "problem_region": "620105"}, "620105-agriculture"),
    ("the matter's place counts more than the residence",
     {"category": "01.04", "problem_region": "620702", "occur_place": "甘州区样本镇",
      "petitioners": (Person(address="甘州区别处"),)}, "620702199-township_government"),
    ("discipline without its own organ in the county", {"category": "16", "problem_region": "620121"},
     "620100-discipline"),
    ("litigation where the county has no organ", {"litigation_related": True, "problem_region": "620121"},
     "620100-political_legal"),
    ("a video reception of another class", {"form": Form.VIDEO, "category": "05"}, "620102-government"),
    ("danger of any kind goes to the government", {"urgency": Urgency.MAJOR, "category": "06.04"},
     "620102-government"),
    ("an accusation of an official, whatever the class",
     {"purpose": Purpose.ACCUSATION, "accused": (Accused(unit="城关区教育局", post="局长"),)}, "620102-discipline"),
    ("an accusation of a city's organ goes to the level that manages it",
     {"purpose": Purpose.ACCUSATION, "accused": (Accused(unit="兰州市教育局", post="局长"),)}, "620100-discipline"),
    ("an accusation of a company stays with its department",
     {"purpose": Purpose.ACCUSATION, "accused": (Accused(unit="甘肃示例物业有限公司"),)}, "620102-housing"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "unit"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES])
def test_the_unit_is_looked_for_along_the_line_of_the_place(
    changes: dict[str, object], unit: str, routing: Routing
) -> None:
    petition = replace(replace(PLAIN, petitioners=()), **changes)  # type: ignore[arg-type]
    assert decided(routing, petition).unit.code == unit


def test_a_bureau_that_stands_in_gets_the_matter_forwarded_and_the_words_say_so(routing: Routing) -> None:
    decision = decided(routing, replace(PLAIN, category="07.01", problem_region="620121"))
    assert decision.unit.code == "620100-xinfang"
    assert decision.dispatch_type is DispatchType.FORWARD
    assert "属地没有对应单位" in decision.words


def test_two_townships_named_means_none_is_chosen(units: Units, routes: tuple[Route, ...]) -> None:
    first = units.rows["620702199-township_government"]
    second = replace(first, code="620702198-township_government", region="620702198", areas=("演示镇",), aliases=())
    wider = units_of((*units.rows.values(), second))
    routing = Routing(wider, routes, Guard(wider), "620000")
    petition = replace(PLAIN, category="01.04", problem_region="620702", petitioners=())
    assert decided(routing, replace(petition, content="样本镇的补贴")).unit == first
    assert decided(routing, replace(petition, content="演示镇的补贴")).unit == second
    assert decided(routing, replace(petition, content="样本镇和演示镇的补贴")).unit.code == "620702-agriculture"


def test_the_accused_bureau_is_passed_over_and_the_reason_recorded(routing: Routing) -> None:
    decision = decided(routing, replace(PLAIN, accused=(Accused(unit="城关区住建局"),)))
    assert decision.unit.code == "620100-housing"
    assert "第30条" in decision.turned
    assert decision.turned in decision.words


def test_a_barred_co_unit_is_left_out_and_the_reason_recorded(routing: Routing) -> None:
    sample = next(sample for sample in SAMPLES if sample.n == 2)
    decision = decided(routing, replace(sample.petition, accused=(Accused(unit="安宁区教育局"),)))
    assert decision.unit.code == "620105-traffic"
    assert decision.co_units == ()
    assert "协办回避安宁区教育局" in decision.words


def test_where_nobody_is_free_of_conflict_a_person_decides(routing: Routing) -> None:
    held = routing.decide(replace(PLAIN, accused=(Accused(unit="甘肃省人民政府", post="省长"),)))
    assert isinstance(held, Held)
    assert "第30条" in held.reason


def test_an_officer_may_choose_another_unit(routing: Routing) -> None:
    choice = Choice(unit="620102-market", co_units=("620102-housing",), dispatch_type=DispatchType.ASSIGN)
    decision = decided(routing, PLAIN, choice)
    assert (decision.unit.code, decision.rule) == ("620102-market", "OFFICER")
    assert [unit.code for unit in decision.co_units] == ["620102-housing"]
    assert decision.dispatch_type is DispatchType.ASSIGN


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice(unit="621102199-township_government"), "第30条"),
        (Choice(unit="621102-housing", co_units=("621102199-township_government",)), "第30条"),
        (Choice(unit="no-such-unit"), "单位目录"),
    ],
)
def test_no_officer_can_send_it_to_the_accused(choice: Choice, words: str, routing: Routing) -> None:
    sample = next(sample for sample in SAMPLES if sample.n == 8)
    held = routing.decide(sample.petition, choice)
    assert isinstance(held, Held)
    assert words in held.reason
    assert routing.conflict(sample.petition, choice.unit) or routing.conflict(sample.petition, choice.co_units[0])


def test_even_before_anybody_named_the_accused_the_township_does_not_get_the_accusation(routing: Routing) -> None:
    sample = next(sample for sample in SAMPLES if sample.n == 8)
    unread = replace(sample.petition, accused=())
    assert routing.conflict(unread, "621102199-township_government")
    assert decided(routing, unread).unit.code == "621102-discipline"


RULE = Route(rule="X", targets=(Target("housing", "county"),), dispatch_type="FORWARD")
CONDITIONS = [
    ({}, {}, True),
    ({"category": ("03",)}, {"category": "03"}, True),
    ({"category": ("03",)}, {"category": "03.03"}, True),
    ({"category": ("03.0",)}, {"category": "03.03"}, False),
    ({"category": ("03.03",)}, {"category": "03"}, False),
    ({"category": ("01", "03")}, {"category": "03.03"}, True),
    ({"region": ("620100",)}, {"problem_region": "620102"}, True),
    ({"region": ("620102",)}, {"problem_region": "620100"}, False),
    ({"region": ("620102",)}, {"problem_region": ""}, False),
    ({"purpose": ("APPEAL",)}, {"purpose": None}, False),
    ({"litigation": False}, {"litigation_related": True}, False),
    ({"litigation": True}, {"litigation_related": True}, True),
    ({"urgency": ("MAJOR",)}, {"urgency": Urgency.URGENT}, False),
    ({"form": ("VIDEO",)}, {"form": Form.VIDEO}, True),
    ({"words": ("红绿灯",)}, {"title": "要求安装红绿灯"}, True),
    ({"words": ("红绿灯",)}, {"requests": ("安装红绿灯",)}, True),
    ({"words": ("红绿灯",)}, {"title": "要求修路"}, False),
    ({"accused": True}, {}, False),
]


@pytest.mark.parametrize(("conditions", "changes", "expected"), CONDITIONS)
def test_a_rule_holds_when_all_its_conditions_do(
    conditions: dict[str, object], changes: dict[str, object], expected: bool
) -> None:
    rule = replace(RULE, **conditions)  # type: ignore[arg-type]
    assert matches(rule, replace(PLAIN, **changes), Findings()) is expected  # type: ignore[arg-type]
