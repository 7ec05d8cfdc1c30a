"""The gazetteer (地名识别): place names of the region table met in running text, joined to chains and resolved."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from operator import concat

from config.regions import PSEUDO, Level, Regions, level_of, significant

_PEOPLES = (
    "壮族|回族|藏族|苗族|侗族|彝族|土家族|布依族|朝鲜族|蒙古族|蒙古|傣族|景颇族|傈僳族|白族|哈尼族|羌族|黎族|满族|瑶族|畲族|"
    "哈萨克族|哈萨克|柯尔克孜族|柯尔克孜|维吾尔族|维吾尔|土族|撒拉族|东乡族|保安族|裕固族|水族|仡佬族|毛南族|仫佬族|佤族|拉祜族|"
    "布朗族|纳西族|普米族|怒族|独龙族|达斡尔族|鄂温克族|塔吉克|锡伯|各族|回"
)
_PEOPLE = re.compile(f"(?:{_PEOPLES})+$")
_AUTONOMOUS = re.compile(r"自治(州|县|旗|区)$")
_TOWNSHIP = ("镇", "乡", "街道", "苏木", "地区")
# 兰州路 and 北京东街 name a road, not the place.
_ROAD = re.compile(r"[东南西北中]{0,2}(?:路|街(?!道)|巷|大道|高速|铁路|籍|话|菜|拉面|牛肉面)")
# 黄河南岸, 长江西侧: half a river and half a direction look like a province.
_DIRECTION = re.compile(r"(?:[岸侧边面坡段头])")
_MOST = 400  # places looked at in one text; a list of all counties is no address
_JOINTS = frozenset(" \u3000,，、/-—·的")


@dataclass(frozen=True, slots=True)
class Place:
    """Places of one chain (甘肃省兰州市城关区) at [start, end).

    codes: what the last name can mean, one if resolved; short: that name stands without 省市县区; depth: names joined.
    """

    codes: tuple[str, ...]
    start: int
    end: int
    short: bool
    depth: int = 1


def short_names(name: str, level: Level) -> tuple[str, ...]:
    """The shorter forms in use: 甘南藏族自治州 -> 甘南州, 甘南; 城关区 -> 城关; 内蒙古自治区 -> 内蒙古."""
    found: list[str] = []
    kind = _AUTONOMOUS.search(name)
    if kind:
        body = name[: kind.start()]
        bare = _PEOPLE.sub("", body)
        if len(bare) < 2:  # the people is the name: 东乡族自治县, 内蒙古自治区
            bare = body.partition("族")[0]
        if kind[1] != "区":
            found.append(bare + kind[1])
        found.append(bare)
    elif level is Level.PROVINCE:
        found.append(name.removesuffix("特别行政区").removesuffix("省").removesuffix("市"))
    elif level is Level.CITY:
        found.append(name.removesuffix("市").removesuffix("地区").removesuffix("盟"))
    elif level is Level.COUNTY:
        bare = name.removesuffix("林区")
        found.append(bare[:-1] if bare == name and name[-1] in "市县区旗" else bare)
    return tuple(dict.fromkeys(form for form in found if len(form) >= 2 and form != name))


class Gazetteer:
    """Finds places. office: the office's own region code, towards which a name with several meanings leans.

    Short names of counties count inside the office's province or right after their parent; names in `common`
    (合作, 安定: everyday words) only right after their parent. Read-only after building, safe for many threads.
    """

    __slots__ = ("_common", "_full", "_heads", "_office", "_short", "regions")

    def __init__(self, regions: Regions, office: str, common: Collection[str] = ()) -> None:
        self.regions = regions
        self._office = office
        self._common = frozenset(common)
        full: dict[str, list[str]] = {}
        short: dict[str, list[str]] = {}
        for code, name in regions.names.items():
            if len(code) == 9:
                if len(name) > 2 and name.endswith(_TOWNSHIP):
                    full.setdefault(name, []).append(code)
                continue
            if name in PSEUDO:
                continue
            full.setdefault(name, []).append(code)
            for form in short_names(name, level_of(code)):
                short.setdefault(form, []).append(code)
        heads: dict[str, set[int]] = {}
        for name in (*full, *short):
            heads.setdefault(name[:2], set()).add(len(name))
        self._full, self._short = full, short
        self._heads = {head: tuple(sorted(lengths, reverse=True)) for head, lengths in heads.items()}

    def places(self, text: str, near: Iterable[str] = ()) -> list[Place]:
        """Every place in the text, chains joined and ambiguities resolved where the text, `near` or the office tell.

        near: region codes known from elsewhere (residence), the weakest context.
        """
        chains = self._chains(text)
        around = [place.codes[0] for place in chains if len(place.codes) == 1]
        contexts = tuple(_beginnings(codes) for codes in (around, near, (self._office,)))
        found = (self._resolved(place, contexts) for place in chains)
        return [place for place in found if place is not None]

    def resolve(self, text: str, near: Iterable[str] = ()) -> str:
        """The one code an address or a stated place name means, the deepest of its first chain; empty if unclear."""
        places = [place for place in self.places(text[:200], near) if len(place.codes) == 1]
        if not places:
            return ""
        best = places[0].codes[0]
        for place in places[1:]:
            if place.codes[0].startswith(significant(best)):
                best = place.codes[0]
        return best

    def _raw(self, text: str) -> list[Place]:
        heads, full, short = self._heads, self._full, self._short
        found: list[Place] = []
        free = 0
        pairs = map(concat, text, islice(text, 1, None))
        for start in [start for start, pair in enumerate(pairs) if pair in heads]:
            if start < free:
                continue
            for length in heads[text[start : start + 2]]:
                name = text[start : start + length]
                whole, part = full.get(name, ()), short.get(name, ())
                if not whole and not part:
                    continue
                end = start + length
                if not whole and (_ROAD.match(text, end) or (name[-1] in "东南西北" and _DIRECTION.match(text, end))):
                    continue
                found.append(Place((*whole, *part), start, end, not whole))
                free = end
                break
            if len(found) >= _MOST:
                break
        return found

    def _chains(self, text: str) -> list[Place]:
        chains: list[Place] = []
        for place in self._raw(text):
            last = chains[-1] if chains else None
            if last is not None and place.start - last.end <= 1 and set(text[last.end : place.start]) <= _JOINTS:
                stems = {significant(above) for above in last.codes}
                inner = tuple(
                    code
                    for code in place.codes
                    if significant(code) not in stems and any(code[:size] in stems for size in (2, 4, 6))
                )
                if inner:
                    chains[-1] = Place(inner, last.start, place.end, place.short, last.depth + 1)
                    continue
            kept = self._alone(text, place)
            if kept is not None:
                chains.append(kept)
        return chains

    def _alone(self, text: str, place: Place) -> Place | None:
        """A name without its parent before it: which meanings may it have."""
        if not place.short:
            return place
        if text[place.start : place.end] in self._common:
            return None
        province = self._office[:2]
        codes = tuple(code for code in place.codes if level_of(code) < Level.COUNTY or code.startswith(province))
        # 酒泉 alone is the city, not the county or district that took its name.
        if any(level_of(code) < Level.COUNTY for code in codes):
            codes = tuple(code for code in codes if level_of(code) < Level.COUNTY)
        return Place(codes, place.start, place.end, True) if codes else None

    def _resolved(self, place: Place, contexts: tuple[frozenset[str], ...]) -> Place | None:
        codes = place.codes
        for context in contexts if len(codes) > 1 else ():
            codes = _closest(codes, context)
            if len(codes) == 1:
                break
        alone = len(codes) == 1 and place.depth == 1 and level_of(codes[0]) is Level.TOWNSHIP
        # A township named alone is taken near the office or a residence; elsewhere it is more often a word like one.
        if alone and not any(codes[0][:2] in context for context in contexts[1:]):
            return None
        if len(codes) > 1 and not any(code[:2] == self._office[:2] for code in codes):
            return None
        return Place(codes, place.start, place.end, place.short, place.depth)


def _beginnings(codes: Iterable[str]) -> frozenset[str]:
    """The provinces, cities and counties these codes lie in, as code beginnings."""
    return frozenset(significant(code)[:size] for code in codes for size in (2, 4, 6))


def _closest(codes: tuple[str, ...], beginnings: frozenset[str]) -> tuple[str, ...]:
    """Those codes that share the longest beginning with the context; all of them if none shares one."""
    shared = [max((size for size in (2, 4, 6) if code[:size] in beginnings), default=0) for code in codes]
    best = max(shared)
    return tuple(code for code, size in zip(codes, shared, strict=True) if size == best) if best else codes
