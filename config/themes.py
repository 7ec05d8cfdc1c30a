"""Themes (主题渠道): special intakes that an operator opens by a file - words, priority and routing of their own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.categories import Categories
from config.complaint import complaint
from config.routes import COLUMNS, Route, Target, route_of
from config.settings import Settings
from config.units import Units

CHANNELS = ("web", "rest", "hotline", "email")
STEPS = ("who", "people", "region", "scene", "purpose", "story", "requests", "accused", "wishes", "evidence")
Words = Annotated[str, Field(min_length=1, max_length=400)]
_LISTS = ("region", "category", "purpose", "legal_path", "urgency", "form", "words")


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Texts(_Shape):
    """What people read. door: title on the home page; intro: who it is for; write: what to write, line by line;
    hints: beside the questions of the form, by the page's name; consent: said before the petition is handed in."""

    door: Words
    intro: Words
    write: tuple[Words, ...] = ()
    hints: Mapping[Literal[STEPS], Words] = Field(default_factory=dict)  # type: ignore[valid-type]
    consent: str = Field("", max_length=400)


class Proposal(_Shape):
    """What is proposed for each petition of the theme, for a person to confirm; source: on what the priority rests."""

    category: str = ""
    urgency: Literal["", "URGENT", "MAJOR"] = ""
    source: str = Field("", max_length=400)


class Row(_Shape):
    """One routing row; the columns of routes.csv, with lists where a column may hold several values."""

    rule: str
    region: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    purpose: tuple[str, ...] = ()
    legal_path: tuple[str, ...] = ()
    urgency: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    targets: tuple[str, ...]
    co_units: tuple[str, ...] = ()
    dispatch_type: str = "FORWARD"
    article: str = ""
    notes: Words


class Theme(_Shape):
    """One theme channel. open: the operator's switch; since, until: first and last day, None for no limit;
    source: on what the channel rests; mailboxes: addresses whose mail belongs to it; unit: code of the unit that
    handles what no row of the theme says otherwise; deadlines: remarks on limits, shown to people and officers."""

    code: str = Field(pattern=r"^[a-z][a-z0-9-]{1,30}$")
    title: str = Field(min_length=2, max_length=40)
    open: bool
    since: date | None = None
    until: date | None = None
    source: Words
    channels: tuple[Literal[CHANNELS], ...] = ("web",)  # type: ignore[valid-type]
    mailboxes: tuple[Annotated[str, Field(pattern=r"^[^\s@<>,;:\"\\A-Z]{1,64}@[a-z0-9.-]{1,253}$")], ...] = ()
    texts: Texts
    proposal: Proposal = Proposal()
    unit: str = ""
    deadlines: tuple[Words, ...] = ()
    routes: tuple[Row, ...] = ()
    file: str = Field("", exclude=True)

    def is_open(self, day: date) -> bool:
        """Whether petitions are taken under it on a day (Asia/Shanghai)."""
        return self.open and (self.since or day) <= day <= (self.until or day)

    def rules(self) -> tuple[Route, ...]:
        """Its routing rows, to be tried before the general table; ValueError names the row and what is wrong."""
        made = [_rule(row, f"{self.file} routes[{place}]", self.code) for place, row in enumerate(self.routes, 1)]
        if self.unit:
            name = f"THEME-{self.code.upper()}"
            targets = (Target("", "", self.unit),)
            notes = f"主题渠道“{self.title}”由指定单位承办"
            made.append(Route(rule=name, targets=targets, dispatch_type="FORWARD", notes=notes, theme=self.code))
        return tuple(made)


@dataclass(frozen=True, slots=True)
class Themes:
    """All themes, open or not; without any, it is the null twin."""

    rows: Mapping[str, Theme] = field(default_factory=lambda: MappingProxyType({}))

    def find(self, code: str) -> Theme | None:
        """The theme with this code, open or not, else None."""
        return self.rows.get(code)

    def open_on(self, day: date, channel: str = "web") -> tuple[Theme, ...]:
        """The themes that take petitions by a channel on a day."""
        return tuple(theme for theme in self.rows.values() if channel in theme.channels and theme.is_open(day))

    def title(self, code: str) -> str:
        """What the theme is called; its code if its file is gone, empty for none."""
        theme = self.find(code)
        return theme.title if theme else code

    def of_mailbox(self, recipients: Iterable[str]) -> Theme | None:
        """The theme one of these addresses belongs to, open or not."""
        wanted = {one.lower() for one in recipients}
        return next((theme for theme in self.rows.values() if wanted & set(theme.mailboxes)), None)

    @property
    def mailboxes(self) -> dict[str, str]:
        """Address -> title, of every theme that is switched on: mail is taken after its last day as well."""
        return {box: theme.title for theme in self.rows.values() if theme.open for box in theme.mailboxes}

    def rules(self) -> tuple[Route, ...]:
        """The routing rows of all themes, each for its own petitions only."""
        return tuple(rule for theme in self.rows.values() for rule in theme.rules())


def theme_folder(settings: Settings) -> Path:
    """Where the operator's themes lie; ValueError if a folder was named that is not there."""
    if settings.themes is not None and not settings.themes.is_dir():
        raise ValueError(f"GATEWAY_THEMES: 没有文件夹 {settings.themes} (there is no such folder)")
    return settings.themes or settings.data / "themes"


def load_themes(folders: Sequence[Path]) -> Themes:
    """Read the *.toml of the folders that are there; a later folder's file replaces an earlier one of the same code.

    ValueError names the file, the field and what is wrong.
    """
    rows: dict[str, Theme] = {}
    for folder in folders:
        here: dict[str, str] = {}
        for path in sorted(folder.glob("*.toml")):
            theme = _theme(path)
            if theme.code in here:
                raise ValueError(f"{path.name}: 主题 {theme.code} 已在 {here[theme.code]} 中 (the code is given twice)")
            here[theme.code] = path.name
            rows[theme.code] = theme
    themes = Themes(MappingProxyType(rows))
    _check_overlap([theme for theme in rows.values() if theme.open])
    return themes


def check_themes(themes: Themes, units: Units, categories: Categories, general: Iterable[Route]) -> None:
    """What a theme says about units, classes and rules must hold; ValueError names the file and what is wrong."""
    taken = {route.rule: "routes.csv" for route in general}
    for theme in themes.rows.values():
        if theme.unit and theme.unit not in units:
            raise ValueError(f"{theme.file}: unit: 没有单位 {theme.unit} (there is no such unit)")
        if theme.proposal.category and theme.proposal.category not in categories:
            raise ValueError(f"{theme.file}: proposal.category: 没有分类 {theme.proposal.category} (no such category)")
        for route in theme.rules():
            if route.rule in taken:
                raise ValueError(
                    f"{theme.file}: 规则 {route.rule} 已在 {taken[route.rule]} 中 (the rule is given twice)"
                )
            taken[route.rule] = theme.file
            for code in route.category:
                if code not in categories:
                    raise ValueError(f"{theme.file}: 规则 {route.rule}: 没有分类 {code} (no such category)")


def _theme(path: Path) -> Theme:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ValueError(f"{path.name}: 无法读取 (cannot be read): {problem}") from None
    try:
        theme = Theme.model_validate(_tuples(table) | {"file": path.name})
    except ValidationError as problem:
        error = problem.errors(include_url=False)[0]
        place = ".".join(str(part) for part in error["loc"])
        words = "缺少这一项 (missing)" if error["type"] == "missing" else complaint({**error, "loc": ()}, "")
        raise ValueError(f"{path.name}: {place}: {words}") from None
    if theme.since and theme.until and theme.until < theme.since:
        raise ValueError(f"{path.name}: until: 截止日 {theme.until} 早于开始日 {theme.since} (ends before it begins)")
    if theme.proposal.urgency and not theme.proposal.source:
        raise ValueError(f"{path.name}: proposal.source: 写了紧急程度就要写依据 (a priority needs its source)")
    if theme.mailboxes and "email" not in theme.channels:
        raise ValueError(f"{path.name}: mailboxes: channels 里没有 email (email is not among the channels)")
    theme.rules()
    return theme


def _tuples(value: object) -> dict[str, object]:
    """A TOML table with tuples for arrays, which never change."""

    def frozen(one: object) -> object:
        if isinstance(one, list):
            return tuple(map(frozen, one))
        return {name: frozen(each) for name, each in one.items()} if isinstance(one, dict) else one

    return {name: frozen(each) for name, each in value.items()} if isinstance(value, dict) else {}


def _rule(row: Row, place: str, theme: str) -> Route:
    values = dict.fromkeys(COLUMNS, "") | {name: "|".join(getattr(row, name)) for name in _LISTS}
    values |= {name: getattr(row, name).strip() for name in ("rule", "dispatch_type", "article", "notes")}
    values |= {"targets": " ".join(row.targets), "co_units": " ".join(row.co_units)}
    return route_of(values, place, theme)


def _check_overlap(themes: Sequence[Theme]) -> None:
    """Two open themes must not share a title or a mailbox on any day: nobody could tell which one is meant."""
    for place, one in enumerate(themes):
        for other in themes[place + 1 :]:
            apart = (one.until or date.max) < (other.since or date.min) or (other.until or date.max) < (
                one.since or date.min
            )
            same = {one.title, *one.mailboxes} & {other.title, *other.mailboxes}
            if same and not apart:
                raise ValueError(
                    f"{other.file}: {'、'.join(sorted(same))} 与 {one.file} 在同一时段重复 (overlaps in time)"
                )
