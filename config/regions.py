"""Regions (行政区划): a dated snapshot of province, city, county and township codes with their names."""

from __future__ import annotations

import lzma
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

FILES = ("regions.csv", "regions.csv.xz")

# Rows of the statistics bureau that stand for "no city of its own"; they are levels, not places.
PSEUDO = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})


class Level(IntEnum):
    """省、市、县、乡, in the order from the widest to the narrowest."""

    PROVINCE = 1
    CITY = 2
    COUNTY = 3
    TOWNSHIP = 4


_DIGITS = {2: Level.PROVINCE, 4: Level.CITY, 6: Level.COUNTY, 9: Level.TOWNSHIP, 12: Level.TOWNSHIP}


def significant(code: str) -> str:
    """The code without its trailing zero groups: 620000 -> 62, 620100 -> 6201, 620102000 -> 620102."""
    if len(code) == 12 and code.endswith("000"):
        code = code[:9]
    if len(code) == 9 and code.endswith("000"):
        code = code[:6]
    if len(code) != 6 or code[4:] != "00":
        return code
    return code[:4] if code[2:4] != "00" else code[:2]


def contains(outer: str, inner: str) -> bool:
    """Whether region `outer` is `inner` or lies above it (属地包含); an empty code contains nothing."""
    return bool(outer) and bool(inner) and inner.startswith(significant(outer))


def level_of(code: str) -> Level:
    """The level a code of 6, 9 or 12 digits stands for; ValueError for anything else."""
    digits = significant(code)
    if not code.isascii() or not code.isdigit() or len(code) not in (6, 9, 12) or len(digits) not in _DIGITS:
        raise ValueError(f"not a region code: {code!r}")
    return _DIGITS[len(digits)]


@dataclass(frozen=True, slots=True)
class Region:
    """One place. code: six digits down to the county, nine for a township; name: its own full name."""

    code: str
    name: str
    level: Level


@dataclass(frozen=True, slots=True)
class Regions:
    """All places of the snapshot. `names` maps code to own name; `codes` is sorted, so a subtree is one slice."""

    names: Mapping[str, str]
    codes: tuple[str, ...] = field(repr=False)

    def __contains__(self, code: object) -> bool:
        return code in self.names

    def __len__(self) -> int:
        return len(self.codes)

    def find(self, code: str) -> Region | None:
        """The place with this code (6, 9 or 12 digits; a village code finds its township), else None."""
        if not code.isascii() or not code.isdigit() or len(code) not in (6, 9, 12):
            return None
        known = self.normal(code)
        return Region(known, self.names[known], level_of(known)) if known else None

    def normal(self, code: str) -> str:
        """The code as this snapshot writes it (620102000000 -> 620102), or empty if it is unknown."""
        if code in self.names:
            return code
        digits = significant(code)
        short = digits.ljust(6, "0") if len(digits) <= 6 else digits[:9]
        return short if short in self.names else ""

    def parents(self, code: str) -> tuple[Region, ...]:
        """The places above this one, widest first, without the bureau's place holders."""
        digits = significant(code)
        above = (digits[:size].ljust(6, "0") for size in (2, 4, 6) if size < len(digits))
        return tuple(Region(c, self.names[c], level_of(c)) for c in above if self.names.get(c, "县") not in PSEUDO)

    def full_name(self, code: str) -> str:
        """甘肃省兰州市城关区 for 620102; empty for an unknown code."""
        region = self.find(code)
        if region is None:
            return ""
        own = "" if region.name in PSEUDO else region.name
        return "".join(parent.name for parent in self.parents(region.code)) + own

    def county_of(self, code: str) -> str:
        """The six-digit county of a county or township code; empty for a city, a province or an unknown code."""
        known = self.normal(code)
        county = significant(known)[:6] if known else ""
        return county if len(county) == 6 else ""

    def under(self, code: str) -> tuple[Region, ...]:
        """Every place strictly below `code`, in the order of the codes."""
        prefix = significant(code)
        start = bisect_left(self.codes, prefix)
        found: list[Region] = []
        for place in self.codes[start:]:
            if not place.startswith(prefix):
                break
            if significant(place) != prefix and self.names[place] not in PSEUDO:
                found.append(Region(place, self.names[place], level_of(place)))
        return tuple(found)

    def children(self, code: str) -> tuple[Region, ...]:
        """The places one step below `code` for a picker; an empty code gives the provinces.

        Under a municipality (北京) the districts come at once, since it has no cities of its own.
        """
        if not code:
            return tuple(
                Region(c, self.names[c], Level.PROVINCE) for c in self.codes if len(c) == 6 and c.endswith("0000")
            )
        known = self.find(code)
        below = self.under(known.code) if known else ()
        inner = {place.code for place in below}
        return tuple(place for place in below if not any(parent.code in inner for parent in self.parents(place.code)))

    def search(self, words: str, *, within: str = "", limit: int = 20) -> tuple[Region, ...]:
        """Places whose own name begins with or holds `words`, beginnings and wider levels first."""
        words = words.strip()
        if not words or limit < 1:
            return ()
        prefix = significant(within) if within else ""
        hits = [
            (not name.startswith(words), level_of(code), code)
            for code, name in self.names.items()
            if words in name and code.startswith(prefix) and name not in PSEUDO
        ]
        return tuple(Region(code, self.names[code], level) for _, level, code in sorted(hits)[:limit])


def load_regions(folder: Path) -> Regions:
    """Read regions.csv or regions.csv.xz (`code,name` sorted by code), check every row; ValueError names the line."""
    path = next((folder / name for name in FILES if (folder / name).is_file()), None)
    if path is None:
        raise ValueError(f"no region table: neither {' nor '.join(FILES)} is in the data folder")
    body = path.read_bytes()
    try:
        text = (lzma.decompress(body) if path.suffix == ".xz" else body).decode("utf-8")
    except (lzma.LZMAError, UnicodeDecodeError) as problem:
        raise ValueError(f"{path.name} cannot be read: {problem}") from problem
    lines = text.splitlines()
    if not lines or lines[0] != "code,name":
        raise ValueError(f"{path.name} line 1: the heading must be code,name")
    names: dict[str, str] = {}
    last = ""
    for number, line in enumerate(lines[1:], start=2):
        code, _, name = line.partition(",")
        if not (name and code.isascii() and code.isdigit() and len(code) in (6, 9)):
            raise ValueError(f"{path.name} line {number}: expected a code of 6 or 9 digits and a name, got {line!r}")
        if code <= last:
            raise ValueError(f"{path.name} line {number}: {code} is out of order or doubled")
        names[code] = name
        last = code
    for code in names:
        if code[:2] + "0000" not in names:
            raise ValueError(f"{path.name}: {code} has no province")
    if not names:
        raise ValueError(f"{path.name} holds no region")
    return Regions(names=names, codes=tuple(names))
