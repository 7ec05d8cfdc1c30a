"""Routes (分办规则): the ordered routing rows of routes.csv, first match wins; read and checked at start."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.units import KINDS

FILE = "routes.csv"
COLUMNS = [
    "rule",
    "region",
    "category",
    "purpose",
    "legal_path",
    "litigation",
    "urgency",
    "form",
    "accused",
    "words",
    "targets",
    "co_units",
    "dispatch_type",
    "article",
    "notes",
]
_RULE = re.compile(r"[A-Z][A-Z0-9-]*")
_CATEGORY = re.compile(r"\d\d(\.\d\d){0,2}")
_REGION = re.compile(r"\d{2}|\d{4}|\d{6}|\d{9}")
PURPOSES = ("SUGGESTION", "ACCUSATION", "APPEAL", "CONSULT")
LEGAL_PATHS = ("P1", "P2", "P3", "P4", "P5", "P6")
URGENCIES = ("NORMAL", "URGENT", "MAJOR")
FORMS = (
    "WEB", "APP", "WECHAT", "KIOSK", "EMAIL", "SMS", "PHONE", "HOTLINE", "LETTER", "FAX", "VISIT", "VIDEO",
    "LEADER_BOX", "GRID",
)  # fmt: skip
DISPATCH_TYPES = (
    "FORWARD", "ASSIGN", "SELF", "DIVERT_PL", "DIVERT_DISCIPLINE", "DIVERT_STATUTORY", "INFORM", "HOTLINE_RETURN",
    "ATTACH",
)  # fmt: skip
# `authority`: the level that manages the accused (管理权限); `own`: the level of the office that runs this gateway.
LEVELS = ("province", "city", "county", "township", "authority", "own")


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a rule asks for: a kind of unit at a level of the problem region's line, written `housing@county`, or one
    unit by its code, written `=620102-health`."""

    kind: str
    level: str
    unit: str = ""

    def __str__(self) -> str:
        return f"={self.unit}" if self.unit else f"{self.kind}@{self.level}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One routing rule (分办规则); an empty condition holds for everything.

    region: digits the problem region begins with; category: codes, each with all below it; accused: True if a
    public organ or official must be among the accused; words: at least one of them stands in title or text;
    targets: tried in order; co_units: 协办单位; article: the law it rests on; notes: the reason in words;
    theme: code of the theme channel whose petitions alone the row is for.
    """

    rule: str
    region: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    purpose: tuple[str, ...] = ()
    legal_path: tuple[str, ...] = ()
    litigation: bool | None = None
    urgency: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    accused: bool = False
    words: tuple[str, ...] = ()
    targets: tuple[Target, ...]
    co_units: tuple[Target, ...] = ()
    dispatch_type: str
    article: str = ""
    notes: str = ""
    theme: str = ""

    @property
    def catches_all(self) -> bool:
        """Whether no condition is left that a petition could fail."""
        conditions = (self.region, self.category, self.purpose, self.legal_path, self.urgency, self.form, self.words)
        return not any(conditions) and self.litigation is None and not self.accused and not self.theme


def load_routes(folder: Path) -> tuple[Route, ...]:
    """Read and check routes.csv in the data folder; ValueError names file, line and what is wrong.

    The last row must catch everything, and only the last: a petition without a rule would be lost from sight.
    """
    path = folder / FILE
    if not path.is_file():
        raise ValueError(f"{FILE} is not in the data folder")
    routes: list[Route] = []
    seen: set[str] = set()
    with path.open(encoding="utf-8", newline="") as source:
        reader = csv.reader(source)
        if next(reader, None) != COLUMNS:
            raise ValueError(f"{FILE} line 1: the heading must be {','.join(COLUMNS)}")
        for row in reader:
            place = f"{FILE} line {reader.line_num}"
            if routes and routes[-1].catches_all:
                raise ValueError(f"{place}: never reached, rule {routes[-1].rule} before it catches everything")
            route = _route(row, place)
            if route.rule in seen:
                raise ValueError(f"{place}: the rule {route.rule} is given twice")
            seen.add(route.rule)
            routes.append(route)
    if not routes or not routes[-1].catches_all:
        raise ValueError(f"{FILE}: the last rule must have no condition, or some petitions find no way")
    return tuple(routes)


def _route(row: list[str], place: str) -> Route:
    if len(row) != len(COLUMNS):
        raise ValueError(f"{place}: expected {len(COLUMNS)} columns, got {len(row)}")
    return route_of(dict(zip(COLUMNS, (value.strip() for value in row), strict=True)), place)


def route_of(values: Mapping[str, str], place: str, theme: str = "") -> Route:
    """One row from the texts of its columns; ValueError names the place and what is wrong. theme: of a theme's rows."""
    if not _RULE.fullmatch(values["rule"]):
        raise ValueError(f"{place}: rule id {values['rule']!r} must be capitals, digits and hyphens")
    if values["litigation"] not in ("", "yes", "no"):
        raise ValueError(f"{place}: litigation must be yes, no or empty")
    if values["accused"] not in ("", "public"):
        raise ValueError(f"{place}: accused must be public or empty")
    if values["dispatch_type"] not in DISPATCH_TYPES:
        raise ValueError(f"{place}: unknown dispatch type {values['dispatch_type']!r}")
    targets = _targets(values["targets"], place)
    if not targets:
        raise ValueError(f"{place}: the rule names no target")
    return Route(
        rule=values["rule"],
        region=_shaped(values["region"], _REGION, "region", place),
        category=_shaped(values["category"], _CATEGORY, "category", place),
        purpose=_known(values["purpose"], PURPOSES, "purpose", place),
        legal_path=_known(values["legal_path"], LEGAL_PATHS, "legal path", place),
        litigation={"yes": True, "no": False}.get(values["litigation"]),
        urgency=_known(values["urgency"], URGENCIES, "urgency", place),
        form=_known(values["form"], FORMS, "form", place),
        accused=values["accused"] == "public",
        words=_parts(values["words"]),
        targets=targets,
        co_units=_targets(values["co_units"], place),
        dispatch_type=values["dispatch_type"],
        article=values["article"],
        notes=values["notes"],
        theme=theme,
    )


def _parts(value: str) -> tuple[str, ...]:
    return tuple(part for raw in value.split("|") if (part := raw.strip()))


def _shaped(value: str, shape: re.Pattern[str], column: str, place: str) -> tuple[str, ...]:
    for part in _parts(value):
        if not shape.fullmatch(part):
            raise ValueError(f"{place}: {column} {part!r} is not a code")
    return _parts(value)


def _known(value: str, words: tuple[str, ...], column: str, place: str) -> tuple[str, ...]:
    for part in _parts(value):
        if part not in words:
            raise ValueError(f"{place}: unknown {column} {part!r}; there are {', '.join(words)}")
    return _parts(value)


def _targets(value: str, place: str) -> tuple[Target, ...]:
    found = []
    for part in value.split():
        if part.startswith("=") and len(part) > 1:
            found.append(Target("", "", part[1:]))
            continue
        kind, _, level = part.partition("@")
        if kind not in KINDS or level not in LEVELS:
            raise ValueError(f"{place}: target {part!r} is not of the form housing@county")
        found.append(Target(kind, level))
    return tuple(found)
