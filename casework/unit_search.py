"""Unit search (单位查找): the units an officer may mean by a few words, nearest to the problem place first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from config.regions import Regions, contains
from config.units import Unit, Units

SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One unit on offer. barred: why it may not have this case, in words; such a unit is shown but cannot be chosen."""

    unit: Unit
    place: str
    barred: str = ""


@dataclass(frozen=True, slots=True)
class UnitSearch:
    """Looks through the whole tree; some hundred units need no index."""

    units: Units
    regions: Regions

    def find(self, words: str, near: str, barred: Callable[[str], str]) -> list[Found]:
        """Units whose name, other name, place or code holds every word; without words, those of the place `near`.

        near: code of the problem place, its line comes first; barred: unit code -> why not, empty if it may.
        """
        parts = words.split()
        hits = [unit for unit in self.units.rows.values() if self._matches(unit, parts, near)]
        hits.sort(key=lambda unit: (not _on_line(unit.region, near), -unit.level, unit.code))
        return [
            Found(unit=unit, place=self.regions.full_name(unit.region), barred=barred(unit.code))
            for unit in hits[:SHOWN]
        ]

    def _matches(self, unit: Unit, parts: list[str], near: str) -> bool:
        if not parts:
            return unit.kind != "township_government" and bool(near) and _on_line(unit.region, near)
        text = "|".join((unit.code, unit.name, *unit.aliases, self.regions.full_name(unit.region)))
        return all(part in text for part in parts)


def _on_line(region: str, near: str) -> bool:
    return bool(near) and (contains(region, near) or contains(near, region))
