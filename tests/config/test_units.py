"""The tree of units: the shipped one is whole and fictional, and a broken file stops the start with its line."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

import config
from config.reference import DATA
from config.regions import Level, Regions, load_regions
from config.units import FILE, KINDS, Unit, Units, load_units, units_of

HEAD = "code,name,organ_type,region,kind,parent,leaders,areas,aliases"
TOP = "620000-government,示例省人民政府,GOVERNMENT,620000,government,,甲示例|乙示例,示例省|示例,省政府"
LOW = "620100-housing,样本市住建局,GOVERNMENT,620100,housing,620000-government,,,住建局"


@pytest.fixture(scope="module")
def units() -> Units:
    return load_units(Path(config.__file__).parent / "data")


@pytest.fixture(scope="module")
def regions() -> Regions:
    return load_regions(DATA)


def written(folder: Path, *lines: str) -> Path:
    (folder / FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_the_shipped_tree_has_its_levels_and_kinds(units: Units) -> None:
    levels = Counter(unit.level for unit in units.rows.values())
    assert len(units) >= 28
    assert set(levels) == set(Level)
    assert {unit.kind for unit in units.rows.values()} == set(KINDS)


def test_every_place_of_the_tree_exists_and_its_townships_are_invented(units: Units, regions: Regions) -> None:
    for unit in units.rows.values():
        assert unit.region[:6] in regions
        if unit.level is Level.TOWNSHIP:
            assert unit.region not in regions, "an invented town must not take a real one's code"


def test_every_leader_is_fictional_and_leads_one_unit(units: Units) -> None:
    leaders = [leader for unit in units.rows.values() for leader in unit.leaders]
    assert all(any(word in leader for word in ("示例", "演示", "样本")) for leader in leaders)
    assert len(set(leaders)) == len(leaders)
    assert all(unit.leaders for unit in units.rows.values())


def test_every_unit_answers_to_somebody_but_one(units: Units) -> None:
    assert [unit.code for unit in units.rows.values() if not unit.parent] == ["620000-government"]


def test_each_place_has_its_bureau_and_its_discipline_organ(units: Units) -> None:
    for government in units.of_kind("government"):
        for kind in ("xinfang", "discipline", "political_legal"):
            assert units.at(government.region, kind) is not None, (government.name, kind)


def test_the_shipped_file_is_written_the_way_it_is_read(units: Units) -> None:
    with (DATA / FILE).open(encoding="utf-8", newline="") as source:
        assert len(list(csv.DictReader(source))) == len(units)


def test_questions_to_the_tree(units: Units) -> None:
    city, district = units.rows["620100-government"], units.rows["620102-government"]
    assert units.find("620102-housing") is units.rows["620102-housing"]
    assert units.find("nothing") is None
    assert units.at("620102", "housing") is units.rows["620102-housing"]
    assert units.at("620102000", "housing") is units.rows["620102-housing"]
    assert units.at("620702199003", "township_government") is units.rows["620702199-township_government"]
    assert units.at("620121", "housing") is None
    assert [unit.code for unit in units.ancestors("620102-traffic")] == [
        *("620102-police", "620102-government", "620100-government", "620000-government")
    ]
    below = {unit.code for unit in units.descendants(city.code)}
    assert {district.code, "620102-traffic", "620102099-township_government"} <= below
    assert city.code not in below
    assert units.children("620102-traffic") == ()
    assert "620102-housing" in units
    with pytest.raises(TypeError):
        units.rows["new"] = district  # type: ignore[index]


def test_a_small_file_is_read(tmp_path: Path) -> None:
    units = load_units(written(tmp_path, HEAD, TOP, LOW))
    top = units.rows["620000-government"]
    assert (top.leaders, top.areas, top.level) == (("甲示例", "乙示例"), ("示例省", "示例"), Level.PROVINCE)
    assert units.rows["620100-housing"].leaders == ()


BROKEN = [
    ("no heading", [TOP], "units.csv line 1"),
    ("a column missing", [HEAD, TOP, "620100-housing,x"], "units.csv line 3: expected 9 columns"),
    ("a code of another form", [HEAD, TOP.replace("620000-government", "Government")], "units.csv line 2: code"),
    ("an unknown region", [HEAD, TOP.replace(",620000,", ",62,")], "units.csv line 2: region '62'"),
    ("an unknown kind", [HEAD, TOP, LOW.replace(",housing,", ",houses,")], "units.csv line 3: unknown kind"),
    ("an unknown organ", [HEAD, TOP, LOW.replace("GOVERNMENT", "FIRM")], "units.csv line 3: unknown organ type"),
    ("no name", [HEAD, TOP, LOW.replace("样本市住建局", "")], "units.csv line 3: the unit 620100-housing has no name"),
    ("a code twice", [HEAD, TOP, LOW, LOW],
     "units.csv line 4: code 620100-housing was already given in units.csv line 3"),
    ("an unknown parent", [HEAD, TOP, LOW.replace("620000-government", "620009-government")],
     "units.csv line 3: the parent 620009-government of 620100-housing is unknown"),
    ("a circle", [HEAD, TOP.replace("government,,", "government,620100-housing,"), LOW],
     "units.csv line 2: the parents go in a circle: 620000-government -> 620100-housing -> 620000-government"),
    ("its own parent", [HEAD, TOP, LOW.replace("620000-government", "620100-housing")],
     "units.csv line 3: the parents"),
    ("nothing in it", [HEAD], "units.csv holds no unit"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "words"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_broken_file_is_named_with_its_line(lines: list[str], words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="units") as told:
        load_units(written(tmp_path, *lines))
    assert words in str(told.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"units\.csv is not in the data folder"):
        load_units(tmp_path)


def test_units_in_hand_are_checked_the_same_way() -> None:
    unit = Unit(
        code="620000-housing", name="示例", organ_type="GOVERNMENT", region="620000", kind="housing", parent="x"
    )
    with pytest.raises(ValueError, match="the parent x of 620000-housing is unknown"):
        units_of((unit,))
    with pytest.raises(ValueError, match="given twice"):
        units_of((unit, unit))
