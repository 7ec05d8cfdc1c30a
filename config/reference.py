"""The reference (基础数据): every data file of the house, loaded once at the start and checked together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.categories import Categories, load_categories
from config.deadlines import Calendars, Deadlines, load_calendars, load_deadlines
from config.fax import FaxData, load_fax
from config.group import GroupRules, load_group
from config.notices import Notices, load_notices
from config.office import Office, load_office
from config.ratings import RatingScale, load_ratings
from config.regions import Regions, load_regions
from config.roles import Roles, load_roles
from config.routes import Route, load_routes
from config.themes import Themes, check_themes, load_themes
from config.units import Units, load_units
from config.visits import Visits, load_visits
from config.words import Words, load_words

DATA = Path(__file__).parent / "data"
THEMES = DATA / "themes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """All data of the house; read-only, handed to whoever needs a part. routes: those of the themes come first."""

    regions: Regions
    categories: Categories
    words: Words
    units: Units
    routes: tuple[Route, ...]
    deadlines: Deadlines
    calendars: Calendars
    roles: Roles
    office: Office
    notices: Notices
    fax: FaxData
    visits: Visits
    ratings: RatingScale
    themes: Themes
    group: GroupRules


def load_reference(folder: Path = DATA, themes: Sequence[Path] = ()) -> Reference:
    """Load and check every file; ValueError names the file and the line of the first mistake.

    themes: the operator's folders of theme channels; their files stand over those of the house.
    """
    special = load_themes((THEMES, *themes))
    reference = Reference(
        regions=load_regions(folder),
        categories=load_categories(folder),
        words=load_words(folder),
        units=load_units(folder),
        routes=(*special.rules(), *load_routes(folder)),
        deadlines=load_deadlines(folder),
        calendars=load_calendars(folder),
        roles=load_roles(folder),
        office=load_office(folder),
        notices=load_notices(folder),
        fax=load_fax(folder),
        visits=load_visits(folder),
        ratings=load_ratings(folder),
        themes=special,
        group=load_group(folder),
    )
    _check_together(reference)
    return reference


def _check_together(reference: Reference) -> None:
    """What one file says about another must hold."""
    for unit in reference.units.rows.values():
        if unit.region[:6] not in reference.regions:  # townships of the demo tree are invented
            raise ValueError(f"units.csv: 单位 {unit.code} 的行政区划 {unit.region} 不在行政区划表中")
    general = (route for route in reference.routes if not route.theme)
    check_themes(reference.themes, reference.units, reference.categories, general)
    kinds = {unit.kind for unit in reference.units.rows.values()}
    for route in reference.routes:
        for target in (*route.targets, *route.co_units):
            known = target.unit in reference.units if target.unit else target.kind in kinds
            if not known:
                file = reference.themes.rows[route.theme].file if route.theme else "routes.csv"
                raise ValueError(f"{file}: 规则 {route.rule} 的目标 {target} 没有这类单位")
