"""Routing (分办): which unit gets a petition and by which rule; first match wins, the guard has the last word."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from config.regions import Level, contains, level_of, significant
from config.routes import Route, Target
from config.units import Unit, Units
from dispatch.conflict import Findings, Guard, authority, region_at
from dispatch.courier import Held
from petition.origin import origin_of
from petition.petition import DispatchType, Petition

# These matters leave the ordinary system: no bureau below may stand in for the organ the law names.
_DIVERTED = {
    DispatchType.DIVERT_DISCIPLINE: "discipline",
    DispatchType.DIVERT_PL: "political_legal",
}
_LEVELS = {
    "province": Level.PROVINCE,
    "city": Level.CITY,
    "county": Level.COUNTY,
    "township": Level.TOWNSHIP,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Where a petition goes. rule: id of the row, `OFFICER` for a person's choice; words: why, for officers;
    turned: why it does not go where the rule pointed, empty if it does."""

    unit: Unit
    co_units: tuple[Unit, ...] = ()
    dispatch_type: DispatchType
    rule: str
    words: str
    turned: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What decides instead of the rules: an officer (改派), or where the case is already (补充材料).

    unit, co_units: codes; dispatch_type None keeps that of the rule; rule, words: what is recorded as the reason.
    """

    unit: str
    co_units: tuple[str, ...] = ()
    dispatch_type: DispatchType | None = None
    rule: str = "OFFICER"
    words: str = "工作人员改派"


class Routing:
    """The rules over the tree. home: region of the office that runs this gateway. Read-only, safe for threads."""

    def __init__(self, units: Units, routes: Sequence[Route], guard: Guard, home: str) -> None:
        self._units = units
        self._routes = tuple(routes)
        self._guard = guard
        self._home = home

    def decide(self, petition: Petition, choice: Choice | None = None) -> Decision | Held:
        """The unit for a petition; Held if nobody free of conflict is left or the choice is not allowed."""
        findings = self._guard.scan(petition)
        route = self._route(petition, findings)
        if choice is not None:
            return self._chosen(choice, route, findings)
        kind, meant = self._meant(route, petition, findings)
        if meant is None:
            place = petition.problem_region or "属地不明"
            return Held(reason=f"规则 {route.rule}:{place} 没有可以承办的单位，请人工分办")
        return self._guarded(route, petition, findings, meant, same_kind=kind)

    def unit(self, code: str) -> Unit | None:
        """The unit with this code, else None."""
        return self._units.find(code)

    def conflict(self, petition: Petition, code: str) -> str:
        """Why the unit may not have the petition, empty if it may; asked before an officer's re-route is taken."""
        if code not in self._units:
            return f"没有编号为 {code} 的单位"
        return self._guard.check(petition, code)

    def _route(self, petition: Petition, findings: Findings) -> Route:
        """The first rule that holds: of the petition's theme, else of the general table; what the law settles first
        (discipline, political-legal organs: arts. 22 and 28; major emergencies: art. 25) no theme changes."""
        general = next(route for route in self._routes if not route.theme and matches(route, petition, findings))
        theme = origin_of(petition.sub_source).theme
        if not theme or general.dispatch_type in _DIVERTED:
            return general
        special = next(
            (route for route in self._routes if route.theme == theme and matches(route, petition, findings)), general
        )
        return general if "MAJOR" in general.urgency and "MAJOR" not in special.urgency else special

    def _guarded(
        self, route: Route, petition: Petition, findings: Findings, meant: Unit, *, same_kind: bool
    ) -> Decision | Held:
        unit, turned = meant, ""
        if reason := findings.reason(meant.code):
            higher = self._guard.upward(findings, meant)
            turned = f"依照条例第30条不得交{meant.name}:{reason}"
            if higher is None:
                return Held(reason=f"{turned}；向上没有可以回避的单位，请报上级机关")
            unit = higher
        dispatch_type = DispatchType(route.dispatch_type)
        if unit.kind == "xinfang" and (turned or not same_kind) and dispatch_type is not DispatchType.ASSIGN:
            # A bureau stands in for the organ that is missing or barred: it gets the matter to pass it on.
            dispatch_type = DispatchType.FORWARD
        if turned and unit.kind == "discipline":
            dispatch_type = DispatchType.DIVERT_DISCIPLINE
        co_units, left_out = self._beside(route, petition, findings, unit)
        words = [f"{route.notes}({route.article})" if route.article else route.notes]
        if not same_kind:
            words.append(f"属地没有对应单位，由{meant.name}承接")
        if turned:
            words.append(f"{turned}；改由{unit.name}办理")
        words += [f"协办回避{name}:{reason}" for name, reason in left_out]
        return Decision(
            unit=unit,
            co_units=co_units,
            dispatch_type=dispatch_type,
            rule=route.rule,
            words=";".join(words),
            turned=turned,
        )

    def _chosen(self, choice: Choice, route: Route, findings: Findings) -> Decision | Held:
        units = [self._units.find(code) for code in (choice.unit, *choice.co_units)]
        known = [unit for unit in units if unit is not None]
        if len(known) != len(units):
            return Held(reason="改派的单位不在单位目录中，请重新选择")
        for unit in known:
            if reason := findings.reason(unit.code):
                return Held(reason=f"依照条例第30条不得交{unit.name}:{reason}；请选择上级单位")
        return Decision(
            unit=known[0],
            co_units=tuple(known[1:]),
            dispatch_type=choice.dispatch_type or DispatchType(route.dispatch_type),
            rule=choice.rule,
            words=f"{choice.words}（未用规则 {route.rule}）",
        )

    def _meant(self, route: Route, petition: Petition, findings: Findings) -> tuple[bool, Unit | None]:
        """The unit the rule points at; False before it if only a bureau standing in was found."""
        for target in route.targets:
            unit = self._at(target, petition, findings)
            if unit is not None:
                return True, unit
        first = route.targets[0]
        region = self._place(first, petition, findings)
        organ = _DIVERTED.get(DispatchType(route.dispatch_type))
        if organ is not None:
            higher = self._climb(region, organ)
            if higher is not None:
                return True, higher
        return False, self._climb(region, "xinfang") or self._climb(self._home, "xinfang")

    def _beside(
        self, route: Route, petition: Petition, findings: Findings, lead: Unit
    ) -> tuple[tuple[Unit, ...], list[tuple[str, str]]]:
        """The co-units that exist and may know of the petition, and those left out with the reason."""
        co_units: dict[str, Unit] = {}
        left_out: list[tuple[str, str]] = []
        for target in route.co_units:
            unit = self._at(target, petition, findings)
            if unit is None or unit.code == lead.code:
                continue
            if reason := findings.reason(unit.code):
                left_out.append((unit.name, reason))
            else:
                co_units[unit.code] = unit
        return tuple(co_units.values()), left_out

    def _place(self, target: Target, petition: Petition, findings: Findings) -> str:
        if target.unit:
            unit = self._units.find(target.unit)
            return unit.region if unit else self._home
        if target.level == "own":
            return self._home
        level = authority(findings.level) if target.level == "authority" else _LEVELS[target.level]
        return region_at(petition.problem_region or self._home, level)

    def _at(self, target: Target, petition: Petition, findings: Findings) -> Unit | None:
        if target.unit:
            return self._units.find(target.unit)
        region = self._place(target, petition, findings)
        if not region:
            return None
        if target.level == "township" and level_of(region) is Level.COUNTY:
            return self._township(target.kind, region, petition)
        return self._units.at(region, target.kind)

    def _township(self, kind: str, county: str, petition: Petition) -> Unit | None:
        """The one township of the county the petition names; none if it names none or several."""
        inside = [unit for unit in self._units.of_kind(kind) if contains(county, unit.region)]
        for texts in _places_of(petition):
            text = _flat(texts)
            named = {unit.code: unit for unit in inside if any(area in text for area in unit.areas)}
            if named:
                return next(iter(named.values())) if len(named) == 1 else None
        return None

    def _climb(self, region: str, kind: str) -> Unit | None:
        """The unit of a kind at the place or the nearest above it."""
        digits = significant(region)
        for size in (9, 6, 4, 2):
            if size <= len(digits):
                unit = self._units.at(digits[:size].ljust(6, "0"), kind)
                if unit is not None:
                    return unit
        return None


def matches(route: Route, petition: Petition, findings: Findings) -> bool:
    """Whether every condition of the rule holds for the petition."""
    if route.accused and not findings.public:
        return False
    if route.litigation is not None and route.litigation is not petition.litigation_related:
        return False
    return (
        _begins(route.region, petition.problem_region)
        and _covers(route.category, petition.category)
        and _one_of(route.purpose, petition.purpose)
        and _one_of(route.legal_path, petition.legal_path)
        and _one_of(route.urgency, petition.urgency)
        and _one_of(route.form, petition.form)
        and _says(route.words, petition)
    )


def _begins(prefixes: tuple[str, ...], region: str) -> bool:
    return not prefixes or any(region.startswith(significant(prefix)) for prefix in prefixes)


def _covers(codes: tuple[str, ...], category: str) -> bool:
    return not codes or any(category == code or category.startswith(code + ".") for code in codes)


def _one_of(values: tuple[str, ...], value: str | None) -> bool:
    return not values or value in values


def _says(words: tuple[str, ...], petition: Petition) -> bool:
    if not words:
        return True
    text = _flat((petition.title, petition.summary, petition.content, *petition.requests))
    return any(word in text for word in words)


def _places_of(petition: Petition) -> Iterable[Sequence[str]]:
    """Where a place may be named, the surest first: the residence only if the matter itself names none."""
    yield (petition.occur_place,)
    yield petition.title, petition.summary, petition.main_facts, petition.content
    yield [person.address for person in petition.petitioners]


def _flat(texts: Sequence[str]) -> str:
    return unicodedata.normalize("NFKC", "\n".join(texts))
