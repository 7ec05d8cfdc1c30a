"""Time limits (期限) and calendars (节假日历) as data: loaded, checked, and handed on as plain rows."""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

FILE = "deadlines.toml"
FOLDER = "calendars"

COUNT_MODES = ("calendar", "working")
ROLL_OVERS = ("none", "next_working_day")
# law: the text says so; practice: a published local or older rule; unverified: to be confirmed by the office.
STATUSES = ("law", "practice", "unverified")
STARTS = (
    *("received", "returned", "registered", "assigned", "unit_received", "objected", "disputed", "accepted"),
    *("delivered", "review_requested", "review_delivered", "re_review_requested", "supervised", "concluded"),
)

_NEEDED = ("count_mode", "roll_over", "start", "article", "source", "status", "label")
_KNOWN = frozenset({*_NEEDED, "days", "hours", "extends"})
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_HEAD = ["date", "kind", "name"]
_LONGEST_DAYS = 3660


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineRule:
    """One limit: either days or hours; article: in Chinese; source: its short marks (R-23, W11)."""

    key: str
    days: int | None
    hours: int | None
    count_mode: str
    roll_over: str
    start: str
    article: str
    source: tuple[str, ...]
    status: str
    label: str
    extends: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """All limits in the order of the file."""

    version: str
    valid_from: date
    rules: tuple[DeadlineRule, ...]

    def find(self, key: str) -> DeadlineRule | None:
        """The limit of that key, or None."""
        return next((rule for rule in self.rules if rule.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """One exception from the week: kind `holiday` (rest) or `workday` (a week-end day on which offices work)."""

    day: date
    kind: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendars:
    """The exceptions of all covered years; a year that is not in `years` is unknown, not free of holidays."""

    years: frozenset[int]
    days: tuple[CalendarDay, ...] = field(repr=False)
    holidays: frozenset[date] = field(repr=False)
    make_up_days: frozenset[date] = field(repr=False)


def load_deadlines(folder: Path) -> Deadlines:
    """Read deadlines.toml of the data folder and check every rule; ValueError names the file and the line."""
    path = folder / FILE
    if not path.is_file():
        raise ValueError(f"{FILE} is missing in the data folder")
    try:
        text = path.read_text(encoding="utf-8")
        table: dict[str, Any] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"{FILE} cannot be read: {problem}") from problem
    lines = text.splitlines()
    version, since, rows = table.get("version"), table.get("valid_from"), table.get("rules")
    if not isinstance(version, str) or type(since) is not date or not isinstance(rows, dict) or not rows:
        raise ValueError(f"{FILE} line 1: version (words), valid_from (a date) and the tables [rules.…] are needed")
    rules = tuple(_rule(key, row, lines) for key, row in rows.items())
    keys = {rule.key: rule for rule in rules}
    for rule in rules:
        if rule.extends and (rule.extends not in keys or keys[rule.extends].count_mode != rule.count_mode):
            where = _where(lines, rule.key, "extends")
            raise ValueError(f"{where}: {rule.key} extends {rule.extends!r}, no limit counted in the same way")
    return Deadlines(version=version, valid_from=since, rules=rules)


def load_calendars(folder: Path) -> Calendars:
    """Read calendars/<year>.csv of the data folder; ValueError names the file and the line.

    A year's notice may move days of the December before, so those may stand in its file too.
    """
    paths = sorted((folder / FOLDER).glob("*.csv"))
    if not paths:
        raise ValueError(f"{FOLDER}/ holds no calendar")
    days: dict[date, CalendarDay] = {}
    years = set()
    for path in paths:
        if not re.fullmatch(r"(19|20)[0-9]{2}", path.stem):
            raise ValueError(f"{FOLDER}/{path.name}: a calendar is named for its year, such as 2026.csv")
        years.add(int(path.stem))
        for where, day in _calendar_days(path, int(path.stem)):
            if day.day in days:
                raise ValueError(f"{where}: {day.day} is given twice")
            days[day.day] = day
    ordered = tuple(days[day] for day in sorted(days))
    return Calendars(
        years=frozenset(years),
        days=ordered,
        holidays=frozenset(each.day for each in ordered if each.kind == "holiday"),
        make_up_days=frozenset(each.day for each in ordered if each.kind == "workday"),
    )


def _rule(key: str, row: object, lines: list[str]) -> DeadlineRule:
    where = _where(lines, key)
    if not _KEY.fullmatch(key) or not isinstance(row, dict):
        raise ValueError(f"{where}: [rules.{key}] must be a table named in lower case")
    if unknown := sorted(set(row) - _KNOWN):
        raise ValueError(f"{_where(lines, key, unknown[0])}: {key} has the unknown field {unknown[0]!r}")
    for name in _NEEDED:
        if name not in row:
            raise ValueError(f"{where}: {key} has no {name}")
    if ("days" in row) == ("hours" in row):
        raise ValueError(f"{where}: {key} needs either days or hours")
    unit = "days" if "days" in row else "hours"
    most = _LONGEST_DAYS * (24 if unit == "hours" else 1)
    if type(row[unit]) is not int or not 0 <= row[unit] <= most:
        where = _where(lines, key, unit)
        raise ValueError(f"{where}: {unit} of {key} must be a whole number from 0 to {most}, got {row[unit]!r}")
    for name, allowed in (
        *(("count_mode", COUNT_MODES), ("roll_over", ROLL_OVERS), ("start", STARTS), ("status", STATUSES)),
    ):
        if row[name] not in allowed:
            where = _where(lines, key, name)
            raise ValueError(f"{where}: {name} of {key} must be one of {', '.join(allowed)}, got {row[name]!r}")
    if unit == "hours" and row["count_mode"] != "calendar":
        raise ValueError(f"{_where(lines, key, 'count_mode')}: hours of {key} can only be counted through")
    for name in ("article", "label", "extends"):
        if not isinstance(row.get(name, ""), str) or (name == "label" and not row[name].strip()):
            raise ValueError(f"{_where(lines, key, name)}: {name} of {key} must be words")
    source = row["source"]
    if not isinstance(source, list) or not all(isinstance(mark, str) and mark for mark in source):
        raise ValueError(f"{_where(lines, key, 'source')}: source of {key} must be a list of marks such as R-23")
    if row["status"] == "law" and not (row["article"] and source):
        raise ValueError(f"{_where(lines, key, 'article')}: {key} is called law but names no article")
    return DeadlineRule(
        key=key,
        days=row.get("days"),
        hours=row.get("hours"),
        count_mode=row["count_mode"],
        roll_over=row["roll_over"],
        start=row["start"],
        article=row["article"],
        source=tuple(source),
        status=row["status"],
        label=row["label"],
        extends=row.get("extends", ""),
    )


def _where(lines: list[str], key: str, name: str = "") -> str:
    """File and line of a rule's heading or of one of its fields; tomllib itself does not tell lines."""
    heading = re.compile(rf"\[rules\.\"?{re.escape(key)}\"?\]")
    start = next((number for number, line in enumerate(lines, 1) if heading.match(line.strip())), 1)
    for number, line in enumerate(lines[start:], start + 1):
        if line.startswith("["):
            break
        if name and re.match(rf"\"?{re.escape(name)}\"?\s*=", line.strip()):
            return f"{FILE} line {number}"
    return f"{FILE} line {start}"


def _calendar_days(path: Path, year: int) -> list[tuple[str, CalendarDay]]:
    name = f"{FOLDER}/{path.name}"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as problem:
        raise ValueError(f"{name} cannot be read: {problem}") from problem
    days: list[tuple[str, CalendarDay]] = []
    headed = False
    for number, line in enumerate(lines, start=1):
        where = f"{name} line {number}"
        if not line.strip() or line.startswith("#"):
            continue
        row = next(csv.reader([line]))
        if not headed:
            if row != _HEAD:
                raise ValueError(f"{where}: the heading must be {','.join(_HEAD)}")
            headed = True
            continue
        days.append((where, _calendar_day(row, year, where)))
    if not days:
        raise ValueError(f"{name} holds no day")
    return days


def _calendar_day(row: list[str], year: int, where: str) -> CalendarDay:
    if len(row) != len(_HEAD):
        raise ValueError(f"{where}: expected {len(_HEAD)} columns, got {len(row)}")
    when, kind, name = row
    try:
        day = date.fromisoformat(when)
    except ValueError:
        raise ValueError(f"{where}: {when!r} is not a date such as {year}-01-01") from None
    if day.year != year and (day.year, day.month) != (year - 1, 12):
        raise ValueError(f"{where}: {when} does not belong to {year}")
    if kind not in ("holiday", "workday"):
        raise ValueError(f"{where}: kind must be holiday or workday, got {kind!r}")
    if kind == "workday" and day.weekday() < 5:
        raise ValueError(f"{where}: {when} is a working day already; workday is for Saturdays and Sundays")
    if not name.strip():
        raise ValueError(f"{where}: {when} has no name")
    return CalendarDay(day=day, kind=kind, name=name)
