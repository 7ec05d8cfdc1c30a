"""The conflict guard: no spelling of the accused slips through, and whoever is chosen instead is free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.regions import Level
from config.routes import Route
from config.units import Unit, Units, units_of
from dispatch.conflict import Guard, authority, region_at
from dispatch.courier import Held
from dispatch.routing import Decision, Routing
from petition.people import Accused
from petition.petition import Petition, Purpose, Urgency
from tests.dispatch.cases import PLAIN

HOUSING = "620102-housing"
# The accused as written; a unit that must not get it, although the problem lies in 城关区.
BARRED = [
    ("the full name", Accused(unit="城关区住房和城乡建设局"), HOUSING),
    ("with the city before it", Accused(unit="兰州市城关区住房和城乡建设局"), HOUSING),
    ("the short name", Accused(unit="城关区住建局"), HOUSING),
    ("the place cut short", Accused(unit="城关住建局"), HOUSING),
    ("as a committee", Accused(unit="城关区住建委"), HOUSING),
    ("as a department", Accused(unit="城关区住建部门"), HOUSING),
    ("an old name", Accused(unit="城关区房管局"), HOUSING),
    ("without the place", Accused(unit="住建局"), HOUSING),
    ("without an ending", Accused(unit="住建"), HOUSING),
    ("traditional characters", Accused(unit="城關區住房和城鄉建設局"), HOUSING),
    ("full-width and blanks", Accused(unit="城 关 区\u3000住 建 局"), HOUSING),
    ("an office inside it", Accused(unit="城关区住建局物业管理科"), HOUSING),
    ("a person of it", Accused(name="李某", unit="城关区住建局", post="科员"), HOUSING),
    ("the unit in the field of the post", Accused(name="李某", post="城关区住建局副局长"), HOUSING),
    ("the unit in the field of the name", Accused(name="城关区住建局某局长"), HOUSING),
    ("a bureau chief of no named bureau", Accused(name="李某", post="局长"), HOUSING),
    ("the superior of the same kind", Accused(unit="兰州市住建局"), HOUSING),
    ("the district itself", Accused(unit="城关区"), HOUSING),
    ("the district's government", Accused(unit="城关区人民政府"), "620102-market"),
    ("the head of the district", Accused(name="某某", unit="城关区", post="副区长"), "620102-police"),
    ("a head without the place", Accused(name="某某", post="区长"), "620102-discipline"),
    ("the mayor", Accused(name="某某", post="市长"), "620100-discipline"),
    ("the governor", Accused(name="某某", post="省长"), "620000-discipline"),
    ("the police and what belongs to it", Accused(unit="城关区公安分局"), "620102-traffic"),
    ("the village: its town", Accused(unit="演示社区"), "620102099-township_government"),
    ("a village nobody knows: every town of the county", Accused(unit="某某村"), "620102099-township_government"),
    ("a village secretary", Accused(name="某某", post="村支书"), "620102099-township_government"),
    ("the town", Accused(unit="示例街道"), "620102099-township_government"),
    ("the head of a town", Accused(post="镇长"), "620102099-township_government"),
]  # fmt: skip
# The accused as written; a unit that may well get it.
FREE = [
    ("a company with the place in its name", Accused(unit="兰州市城关区示例物业有限公司"), HOUSING),
    ("the bureau of another place", Accused(unit="天水市秦州区住建局"), HOUSING),
    ("another bureau of the place", Accused(unit="城关区教育局"), HOUSING),
    ("a subordinate: its superior is free", Accused(unit="城关区交警大队"), "620102-police"),
    ("a county bureau: the city's is free", Accused(unit="城关区住建局"), "620100-housing"),
    ("a county bureau named with its city", Accused(unit="兰州市城关区住建局"), "620100-housing"),
    ("a town: the county is free", Accused(unit="示例街道"), HOUSING),
    ("a person of no office", Accused(name="王某"), HOUSING),
    ("a person whose name is half a bureau's", Accused(name="王教育"), "620102-education"),
    ("a firm in a town", Accused(unit="示例街道某养殖场"), "620102099-township_government"),
    ("nothing at all", Accused(), HOUSING),
]


@pytest.mark.parametrize(("accused", "code"), [row[1:] for row in BARRED], ids=[row[0] for row in BARRED])
def test_however_it_is_written_the_accused_is_known(accused: Accused, code: str, guard: Guard) -> None:
    assert guard.check(replace(PLAIN, accused=(accused,)), code)


@pytest.mark.parametrize(("accused", "code"), [row[1:] for row in FREE], ids=[row[0] for row in FREE])
def test_others_may_have_it(accused: Accused, code: str, guard: Guard) -> None:
    assert guard.check(replace(PLAIN, accused=(accused,)), code) == ""


def test_a_unit_led_by_the_accused_is_barred_with_all_below_it(guard: Guard, units: Units) -> None:
    leader = units.rows["620102-police"].leaders[0]
    findings = guard.scan(replace(PLAIN, accused=(Accused(name=f"{leader}等人"),)))
    assert findings.reason("620102-police") == "由被反映人领导"
    assert findings.reason("620102-traffic")
    assert not findings.reason("620100-police")
    assert findings.level is Level.COUNTY


def test_an_accusation_bars_the_town_of_a_firm_as_well(guard: Guard) -> None:
    accused = (Accused(unit="示例街道某养殖场"),)
    petition = replace(PLAIN, accused=accused, purpose=Purpose.ACCUSATION)
    assert guard.check(petition, "620102099-township_government")


def test_who_is_asked_for_help_in_an_accusation_is_not_accused(guard: Guard) -> None:
    petition = replace(PLAIN, purpose=Purpose.ACCUSATION, content="请区纪委查处城关区教育局乱收费。")
    assert guard.check(petition, "620102-education")
    assert not guard.check(petition, "620102-discipline")


def test_without_accused_nobody_is_barred(guard: Guard) -> None:
    assert guard.scan(PLAIN).reasons == {}
    assert guard.scan(PLAIN).level is None


def test_a_long_list_of_accused_is_read_in_bounded_time(guard: Guard) -> None:
    accused = tuple(Accused(name=f"某{n}", unit=f"示例公司{n}" * 20) for n in range(30))
    assert not guard.check(replace(PLAIN, accused=accused), HOUSING)


@pytest.mark.parametrize(
    ("region", "level", "expected"),
    [
        ("620102", Level.CITY, "620100"),
        ("620102099", Level.COUNTY, "620102"),
        ("620102099001", Level.PROVINCE, "620000"),
        ("620100", Level.COUNTY, "620100"),
        ("", Level.COUNTY, ""),
        ("x", Level.COUNTY, ""),
    ],
)
def test_the_place_of_a_level_lies_on_the_line_of_the_code(region: str, level: Level, expected: str) -> None:
    assert region_at(region, level) == expected


def test_who_manages_a_town_is_the_county() -> None:
    assert [authority(level) for level in (None, *Level)] == [
        *(Level.COUNTY, Level.PROVINCE, Level.CITY, Level.COUNTY, Level.COUNTY)
    ]


# A tree of its own for the property: every level, several kinds, two branches.
def _unit(
    region: str, kind: str, parent: str, name: str, leader: str, aliases: tuple[str, ...], areas: tuple[str, ...] = ()
) -> Unit:
    return Unit(
        code=f"{region}-{kind}", name=name, organ_type="GOVERNMENT", region=region, kind=kind, parent=parent,
        leaders=(leader,), aliases=aliases, areas=areas,
    )  # fmt: skip


def _tree() -> Units:
    rows: list[Unit] = []
    places = (
        ("620000", "示例省", ""), ("620100", "样本市", "620000"), ("620102", "演示区", "620100"),
        ("620103", "虚构区", "620100"), ("620500", "模拟市", "620000"), ("620502", "范例区", "620500"),
    )  # fmt: skip
    for region, place, above in places:
        top = f"{region}-government"
        parent = f"{above}-government" if above else ""
        rows.append(_unit(region, "government", parent, f"{place}人民政府", f"甲{place}", ("人民政府",), (place,)))
        kinds = {"xinfang": "信访局", "discipline": "纪委监委", "housing": "住建局", "police": "公安局"}
        for kind, word in kinds.items():
            rows.append(_unit(region, kind, top, place + word, f"乙{place}{word}", (word,)))
        rows.append(_unit(region, "traffic", f"{region}-police", f"{place}交警队", f"丙{place}", ("交警队",)))
    above = "620102-government"
    rows.append(
        _unit("620102199", "township_government", above, "演示区甲镇人民政府", "丁甲镇", ("镇政府",), ("甲镇",))
    )
    return units_of(tuple(rows))


TREE = _tree()
WRITINGS: tuple[Callable[[Unit], Accused], ...] = (
    lambda unit: Accused(unit=unit.name),
    lambda unit: Accused(unit=f"反映{unit.name}某科室"),
    lambda unit: Accused(name="某某", post=f"{unit.name}工作人员"),
    lambda unit: Accused(unit=" ".join(unit.name)),
    lambda unit: Accused(name=unit.leaders[0]),
    lambda unit: Accused(name=unit.leaders[0], unit="某单位", post="领导"),
)
ACCUSED = st.tuples(st.sampled_from(list(TREE.rows.values())), st.sampled_from(WRITINGS))


@settings(max_examples=300, deadline=None)
@given(
    accused=st.lists(ACCUSED, min_size=1, max_size=4),
    region=st.sampled_from(["620102", "620102199", "620103", "620502", "620100", "620000", ""]),
    category=st.sampled_from(["03.03", "01.04", "08.02", "08.03", "16.01", "02.05", "17", ""]),
    purpose=st.sampled_from([*Purpose, None]),
    litigation=st.booleans(),
    urgency=st.sampled_from(list(Urgency)),
)
def test_whoever_is_chosen_is_neither_accused_nor_below_nor_led_by_them(
    routes: tuple[Route, ...],
    accused: list[tuple[Unit, Callable[[Unit], Accused]]],
    region: str,
    category: str,
    purpose: Purpose | None,
    litigation: bool,
    urgency: Urgency,
) -> None:
    petition: Petition = replace(
        PLAIN,
        accused=tuple(write(unit) for unit, write in accused),
        problem_region=region,
        category=category,
        purpose=purpose,
        litigation_related=litigation,
        urgency=urgency,
        content="甲镇的事情",
    )
    decision = Routing(TREE, routes, Guard(TREE), "620000").decide(petition)
    if isinstance(decision, Held):
        assert "第30条" in decision.reason
        return
    assert isinstance(decision, Decision)
    # Said again in the plainest way, without the guard's own machinery: walk up from the chosen unit.
    for chosen in (decision.unit, *decision.co_units):
        line = {chosen.code, *(unit.code for unit in TREE.ancestors(chosen.code))}
        leaders = {name for code in line for name in TREE.rows[code].leaders}
        for unit, write in accused:
            assert unit.code not in line
            assert write(unit).name not in leaders
