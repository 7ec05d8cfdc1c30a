"""Units (单位): the frozen tree of those who can receive a petition, read from units.csv and checked at start."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from config.regions import Level, level_of, significant

FILE = "units.csv"
_HEAD = ["code", "name", "organ_type", "region", "kind", "parent", "leaders", "areas", "aliases"]
_CODE = re.compile(r"[0-9]{6,9}-[a-z_]+(?:-[0-9]+)?")

# What a unit is there for (职能): the word a routing rule asks for, never the name of one organ.
KINDS = (
    "government",  # 党委和政府
    "xinfang",  # 信访局
    "discipline",  # 纪检监察机关
    "political_legal",  # 政法委
    "organisation",  # 组织部
    "housing",  # 住房和城乡建设
    "urban_management",  # 城市管理、供热供水燃气
    "natural_resources",  # 自然资源
    "police",  # 公安
    "traffic",  # 公安交通管理
    "education",  # 教育
    "labour",  # 人力资源和社会保障
    "labour_inspection",  # 劳动保障监察
    "agriculture",  # 农业农村
    "civil_affairs",  # 民政
    "ecology",  # 生态环境
    "emergency",  # 应急管理
    "health",  # 卫生健康
    "transport",  # 交通运输
    "market",  # 市场监督管理
    "commerce",  # 商务、文化和旅游、工业和信息化
    "township_government",  # 乡镇政府、街道办事处
)

# Regulation art. 2: the rules bind all of these, not only departments of government.
ORGAN_TYPES = (
    "PARTY",  # 党的机关
    "CONGRESS",  # 人大
    "GOVERNMENT",  # 行政
    "CPPCC",  # 政协
    "SUPERVISION",  # 监察
    "COURT",  # 审判
    "PROCURATORATE",  # 检察
    "MASS",  # 群团
    "ENTERPRISE",  # 国有企业
    "INSTITUTION",  # 事业单位
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One organ that can receive petitions (责任单位).

    code: `region-kind`, stable; region: 6 digits, 9 for a township; parent: code of the organ it answers to, empty at
    the top; leaders: names of those who lead it; areas: names of its place (governments only: 城关区, 城关);
    aliases: other names without the place (住建局, 房管局).
    """

    code: str
    name: str
    organ_type: str
    region: str
    kind: str
    parent: str = ""
    leaders: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def level(self) -> Level:
        """省、市、县、乡."""
        return level_of(self.region)


@dataclass(frozen=True, slots=True)
class Units:
    """All units, in the order of the file; made once by `load_units` and passed down."""

    rows: Mapping[str, Unit]
    _below: Mapping[str, tuple[Unit, ...]] = field(repr=False)
    _at: Mapping[tuple[str, str], Unit] = field(repr=False)

    def __contains__(self, code: object) -> bool:
        return code in self.rows

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, code: str) -> Unit | None:
        """The unit with this code, else None."""
        return self.rows.get(code)

    def children(self, code: str) -> tuple[Unit, ...]:
        """Those that answer directly to the unit (直属)."""
        return self._below.get(code, ())

    def descendants(self, code: str) -> tuple[Unit, ...]:
        """All that answer to the unit, directly or through others (下属), without itself."""
        found: list[Unit] = []
        waiting = list(self.children(code))
        while waiting:
            unit = waiting.pop()
            found.append(unit)
            waiting.extend(self.children(unit.code))
        return tuple(found)

    def ancestors(self, code: str) -> tuple[Unit, ...]:
        """Those the unit answers to, nearest first (上级)."""
        found: list[Unit] = []
        unit = self.rows.get(code)
        while unit is not None and unit.parent:
            unit = self.rows[unit.parent]
            found.append(unit)
        return tuple(found)

    def at(self, region: str, kind: str) -> Unit | None:
        """The unit of this kind of exactly this place (6, 9 or 12 digits), else None; the first row wins."""
        return self._at.get((significant(region[:9]), kind))

    def of_kind(self, kind: str) -> tuple[Unit, ...]:
        """All units of a kind, in the order of the file."""
        return tuple(unit for unit in self.rows.values() if unit.kind == kind)


def units_of(rows: tuple[Unit, ...]) -> Units:
    """The tree of some units; raises ValueError naming the unit for a doubled code, an unknown parent or a circle."""
    return _tree({unit.code: f"unit {unit.code}" for unit in rows}, rows)


def load_units(folder: Path) -> Units:
    """Read and check units.csv in the data folder; ValueError names file, line and what is wrong."""
    path = folder / FILE
    if not path.is_file():
        raise ValueError(f"{FILE} is not in the data folder")
    with path.open(encoding="utf-8", newline="") as source:
        reader = csv.reader(source)
        if next(reader, None) != _HEAD:
            raise ValueError(f"{FILE} line 1: the heading must be {','.join(_HEAD)}")
        units: list[Unit] = []
        places: dict[str, str] = {}
        for row in reader:
            place = f"{FILE} line {reader.line_num}"
            unit = _unit(row, place)
            if unit.code in places:
                raise ValueError(f"{place}: code {unit.code} was already given in {places[unit.code]}")
            places[unit.code] = place
            units.append(unit)
    if not units:
        raise ValueError(f"{FILE} holds no unit")
    return _tree(places, tuple(units))


def _unit(row: list[str], place: str) -> Unit:
    if len(row) != len(_HEAD):
        raise ValueError(f"{place}: expected {len(_HEAD)} columns, got {len(row)}")
    values = dict(zip(_HEAD, (value.strip() for value in row), strict=True))
    code, region = values["code"], values["region"]
    if not _CODE.fullmatch(code):
        raise ValueError(f"{place}: code {code!r} is not of the form 620102-housing")
    try:
        level_of(region)
    except ValueError:
        raise ValueError(f"{place}: region {region!r} is not a code of 6 or 9 digits") from None
    if values["kind"] not in KINDS:
        raise ValueError(f"{place}: unknown kind {values['kind']!r}; there are {', '.join(KINDS)}")
    if values["organ_type"] not in ORGAN_TYPES:
        raise ValueError(f"{place}: unknown organ type {values['organ_type']!r}; there are {', '.join(ORGAN_TYPES)}")
    if not values["name"]:
        raise ValueError(f"{place}: the unit {code} has no name")
    return Unit(
        code=code,
        name=values["name"],
        organ_type=values["organ_type"],
        region=region,
        kind=values["kind"],
        parent=values["parent"],
        leaders=_words(values["leaders"]),
        areas=_words(values["areas"]),
        aliases=_words(values["aliases"]),
    )


def _words(value: str) -> tuple[str, ...]:
    return tuple(word for part in value.split("|") if (word := part.strip()))


def _tree(places: Mapping[str, str], units: tuple[Unit, ...]) -> Units:
    rows: dict[str, Unit] = {}
    below: defaultdict[str, list[Unit]] = defaultdict(list)
    at: dict[tuple[str, str], Unit] = {}
    for unit in units:
        if unit.code in rows:
            raise ValueError(f"{places[unit.code]}: the code {unit.code} is given twice")
        rows[unit.code] = unit
        at.setdefault((significant(unit.region), unit.kind), unit)
    for unit in units:
        if unit.parent and unit.parent not in rows:
            raise ValueError(f"{places[unit.code]}: the parent {unit.parent} of {unit.code} is unknown")
        if unit.parent:
            below[unit.parent].append(unit)
    safe: set[str] = set()
    for unit in units:
        way: list[str] = []
        code = unit.code
        while code and code not in safe:
            if code in way:
                circle = " -> ".join([*way[way.index(code) :], code])
                raise ValueError(f"{places[unit.code]}: the parents go in a circle: {circle}")
            way.append(code)
            code = rows[code].parent
        safe.update(way)
    return Units(
        rows=MappingProxyType(rows),
        _below=MappingProxyType({code: tuple(children) for code, children in below.items()}),
        _at=MappingProxyType(at),
    )
