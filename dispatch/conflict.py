"""The conflict guard (回避): nobody complained about, led by or below them may receive the petition (art. 30)."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from opencc import OpenCC  # type: ignore[import-untyped]

from config.regions import Level, contains, level_of, significant
from config.units import Unit, Units
from petition.people import Accused
from petition.petition import Petition, Purpose

_NOT_WORD = re.compile(r"[\W_]+")
# Citizens write 住建委, 住建厅, 住建部门 for one and the same organ: all endings are read as 局.
_ENDINGS = re.compile(r"部门|委员会|办公室|分局|总队|支队|大队|中队|厅|委|部|办|队")
_UNFOLDED = frozenset({"government", "township_government", "discipline", "political_legal", "organisation"})
_HEADS = (
    (re.compile(r"省长|省委书记"), Level.PROVINCE),
    (re.compile(r"市长|州长|市委书记|州委书记"), Level.CITY),
    (re.compile(r"县长|区长|市长|县委书记|区委书记|市委书记"), Level.COUNTY),
)
_GOVERNING = re.compile(
    r"(副|常务副|原|现任)*(省长|市长|州长|县长|区长|书记|领导|负责人|主要|班子|干部|党委|政府|常委|公职)"
)
_OFFICE = re.compile(r"(局长|厅长|主任|处长|科长|股长|所长|站长|队长|局领导|局干部)")
_VILLAGE = re.compile(
    r"村委|村支|村主任|村民委员会|村书记|村党|村长|村干部|村负责人|村两委|村集体|村会计|村文书|村民小组|居委|居民委员会"
    r"|社区主任|社区书记|社区干部|社区负责人|社区工作|(?:村|社区|[一二三四五六七八九十]社|组)$"
)
_TOWN = re.compile(r"(?:镇|乡|街道)(?:党|政|长|书记|干部|领导|主任|负责人|办|人民政府|人大|$)")
_ANY_VILLAGE = re.compile(r"村|社区|镇|乡|街道")

_READ = 20_000  # characters of an accusation that are searched; more would only cost time

# What takes over when a unit may not have it, at each level above; an accusation never leaves the discipline line.
_SUBSTITUTES: Mapping[str, tuple[str, ...]] = {"discipline": (), "political_legal": ("discipline",)}
_ORDINARY = ("xinfang", "discipline")


@dataclass(frozen=True, slots=True)
class Findings:
    """Who may not have this petition. reasons: unit code to words; level: the widest level complained about, None if
    no unit of the tree is; public: whether an organ or an official is complained about at all."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    level: Level | None = None
    public: bool = False

    def reason(self, code: str) -> str:
        """Why this unit may not have it, in words for officers; empty if it may."""
        return self.reasons.get(code, "")


class Guard:
    """Matches the accused with the tree, tolerantly: a match too many only sends the petition one level higher.

    Read-only after it is made; safe for many threads.
    """

    def __init__(self, units: Units) -> None:
        self._units = units
        self._plain = _Plain()
        self._cores: defaultdict[str, list[Unit]] = defaultdict(list)
        self._folded: defaultdict[str, list[Unit]] = defaultdict(list)
        self._areas: defaultdict[str, set[str]] = defaultdict(set)
        self._leaders: defaultdict[str, list[Unit]] = defaultdict(list)
        self._names: dict[str, Unit] = {}
        for unit in units.rows.values():
            self._names[self._plain(unit.name)] = unit
            for alias in unit.aliases:
                core = self._plain(alias)
                self._cores[core].append(unit)
                if unit.kind not in _UNFOLDED:
                    self._folded[_ENDINGS.sub("局", core)].append(unit)
            for area in unit.areas:
                self._areas[self._plain(area)].add(unit.region)
            for leader in unit.leaders:
                self._leaders[self._plain(leader)].append(unit)
        longest_first = sorted(self._areas, key=len, reverse=True)
        self._area = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def scan(self, petition: Petition) -> Findings:
        """All units that may not have the petition, each with its reason."""
        hits: dict[str, str] = {}
        public = False
        for accused in petition.accused:
            found, official = self._match(accused, petition)
            public = public or official or bool(found)
            for unit, words in found:
                hits.setdefault(unit.code, words)
        if petition.purpose is Purpose.ACCUSATION and not petition.accused:
            for unit in self._mentioned(petition):
                hits.setdefault(unit.code, "在检举内容中被提到，被反映人尚未核定")
        if not hits:
            return Findings(public=public)
        level = min(self._units.rows[code].level for code in hits)
        return Findings(reasons=self._spread(hits), level=level, public=True)

    def check(self, petition: Petition, code: str) -> str:
        """Why the unit may not have the petition, empty if it may: the same answer for routing and for officers."""
        return self.scan(petition).reason(code)

    def upward(self, findings: Findings, unit: Unit) -> Unit | None:
        """The next unit above that may have it: the same kind, the petition bureau or the discipline organ there."""
        kinds = (unit.kind, *_SUBSTITUTES.get(unit.kind, _ORDINARY))
        digits = significant(unit.region)
        for size in (6, 4, 2):
            if size >= len(digits):
                continue
            for kind in kinds:
                higher = self._units.at(digits[:size].ljust(6, "0"), kind)
                if higher is not None and not findings.reason(higher.code):
                    return higher
        return None

    def _match(self, accused: Accused, petition: Petition) -> tuple[list[tuple[Unit, str]], bool]:
        """The units meant by one accused, and whether a public organ or official is meant (even an unknown one)."""
        unit, name, post = self._plain(accused.unit), self._plain(accused.name), self._plain(accused.post)
        region = petition.problem_region
        found: list[tuple[Unit, str]] = []
        for text in dict.fromkeys(text for text in (unit + post, unit, name + post, name, post) if len(text) > 1):
            places, rest = self._places(text)
            part = "" if text == name else rest  # a person called 王教育 is not the education bureau
            found += [(hit, "是被反映的单位") for hit in self._named(text, part, places, region)]
            found += [(hit, "是被反映人任职的党委政府") for hit in self._governments(text, rest, places, region)]
            found += [
                (hit, "是被反映村（社区）、乡镇的主管单位")
                for hit in self._townships(text, places, region, strict=petition.purpose is Purpose.ACCUSATION)
            ]
            for leader, led in self._leaders.items():
                if leader in text:
                    found += [(hit, "由被反映人领导") for hit in led]
        official = bool(_OFFICE.search(post)) or bool(_GOVERNING.search(post))
        if not found and not unit and _OFFICE.search(post):
            # "局长某某" without the name of the bureau: it may be any bureau of the place, so none of them gets it.
            found += [(hit, "可能是被反映人任职的单位") for hit in self._departments(region)]
        return found, official

    def _mentioned(self, petition: Petition) -> Iterable[Unit]:
        """As long as nobody has said who is accused: every department and township an accusation speaks of.

        Bureaus and discipline organs are left out: "请纪委查处" asks them, it does not accuse them.
        """
        text = self._plain("\n".join((petition.title, petition.summary, petition.content))[:_READ])
        places, _ = self._places(text)
        for unit in self._named(text, "", places, petition.problem_region):
            if unit.kind not in _UNFOLDED and unit.kind != "xinfang":
                yield unit
        yield from self._townships(text, places, petition.problem_region, strict=True)

    def _named(self, text: str, rest: str, places: set[str], region: str) -> Iterable[Unit]:
        """Units whose name or usual name stands in the text, or that the text is a part of."""
        for full, unit in self._names.items():
            if full in text:
                yield unit
        folded, folded_rest = _ENDINGS.sub("局", text), _ENDINGS.sub("局", rest)
        for cores, where, left in ((self._cores, text, rest), (self._folded, folded, folded_rest)):
            for core, units in cores.items():
                if core in where or (len(left) > 1 and left in core):
                    yield from (unit for unit in units if _placed(unit, places, region))

    def _governments(self, text: str, rest: str, places: set[str], region: str) -> Iterable[Unit]:
        """The Party committee and government meant by a bare place (城关区) or by its head (城关区区长, 区长)."""
        heads = {level for posts, level in _HEADS if posts.search(text)}
        for unit in self._units.of_kind("government"):
            if unit.region in places:
                if not rest or _GOVERNING.match(rest) or unit.level in heads:
                    yield unit
            elif not places and unit.level in heads and _placed(unit, places, region):
                yield unit

    def _townships(self, text: str, places: set[str], region: str, *, strict: bool) -> Iterable[Unit]:
        """The township that owns an accused village; if it cannot be told, every township of the county."""
        shape = _ANY_VILLAGE if strict else _TOWN
        if not (shape.search(text) or _VILLAGE.search(text)):
            return
        townships = self._units.of_kind("township_government")
        named = [unit for unit in townships if unit.region in places]
        yield from named
        county = significant(region)[:6]
        if county and any(unit.region.startswith(county) for unit in named):
            return
        around = {county, *(significant(place)[:6] for place in places)} - {""}
        yield from (unit for unit in townships if not around or any(unit.region.startswith(c) for c in around))

    def _departments(self, region: str) -> Iterable[Unit]:
        for unit in self._units.rows.values():
            if unit.kind not in _UNFOLDED and unit.kind != "xinfang" and _placed(unit, set(), region):
                yield unit

    def _places(self, text: str) -> tuple[set[str], str]:
        """Regions the text names, the narrowest of 兰州市城关区 only, and the text without them."""
        found: set[str] = set()
        before: set[str] = set()
        end = -1
        for match in self._area.finditer(text):
            regions = self._areas[match[0]]
            joined = before if match.start() == end else set()
            outer = {old for old in joined if any(old != new and contains(old, new) for new in regions)}
            before = {new for new in regions if any(contains(old, new) for old in outer)} or set(regions)
            found = (found - outer) | before
            end = match.end()
        return found, self._area.sub("", text)

    def _spread(self, hits: Mapping[str, str]) -> dict[str, str]:
        """The units hit, all that answer to them, and the same kind of organ in the places below them."""
        reasons = dict(hits)
        for code in hits:
            unit = self._units.rows[code]
            lower = [
                same
                for same in self._units.of_kind(unit.kind)
                if same.region != unit.region and contains(unit.region, same.region)
            ]
            for below in (*self._units.descendants(code), *lower):
                reasons.setdefault(below.code, f"是{unit.name}的下级，{unit.name}{hits[code]}")
                for deeper in self._units.descendants(below.code):
                    reasons.setdefault(deeper.code, f"是{unit.name}的下级，{unit.name}{hits[code]}")
        return reasons


class _Plain:
    """Half-width, simplified, without punctuation: 城關區 住建局 and 城关区住建局 are the same words."""

    def __init__(self) -> None:
        self._simplified = OpenCC("t2s")

    def __call__(self, text: str) -> str:
        return _NOT_WORD.sub("", self._simplified.convert(unicodedata.normalize("NFKC", text))).lower()


def _placed(unit: Unit, places: set[str], region: str) -> bool:
    """Whether the unit belongs to a place named; if none is named, whether it lies on the line of the problem."""
    if places:
        return unit.region in places
    if not region:
        return True
    return contains(unit.region, region) or contains(region, unit.region)


def authority(level: Level | None) -> Level:
    """The level whose organ manages those complained about (管理权限); the county for villages and townships."""
    return Level.COUNTY if level is None else min(level, Level.COUNTY)


def region_at(region: str, level: Level) -> str:
    """The place of this level on the line of a region code, or the code's own place if it is wider; empty for none."""
    try:
        own = level_of(region)
    except ValueError:
        return ""
    if own <= level:
        return region
    return significant(region)[: (2, 4, 6, 9)[level - 1]].ljust(6, "0")
