"""Visits (来访与代理): how many represent a group, who may file for whom, who is called first; from visits.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "visits.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Who somebody that files is to the person concerned. proof: the paper that shows it."""

    key: str
    label: str
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """Why a visitor is called before others; a lower rank comes first, visitors without one come last."""

    key: str
    label: str
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """The numbers and lists of the counter. articles: where each number stands, for the words of a problem."""

    version: str
    representatives: int
    representatives_article: str
    adult_age: int
    adult_article: str
    agents: int
    agents_article: str
    relations: Mapping[str, Relation]
    priorities: Mapping[str, Priority]


def load_visits(folder: Path) -> Visits:
    """Read and check visits.toml in the data folder; ValueError names what is wrong."""
    path = folder / FILE
    if not path.is_file():
        raise ValueError(f"{FILE} is not in the data folder")
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"{FILE} cannot be read: {problem}") from problem
    version = table.get("version")
    if not isinstance(version, str):
        raise ValueError(f"{FILE}: a version is needed")
    representatives, article = _number(table, "representatives", "most")
    age, age_article = _number(table, "adult", "age")
    agents, agents_article = _number(table, "agents", "most")
    relations = [
        Relation(
            key=_text(row, "relations", "key"),
            label=_text(row, "relations", "label"),
            proof=_text(row, "relations", "proof"),
        )
        for row in _rows(table, "relations")
    ]
    priorities = [
        Priority(key=_text(row, "priorities", "key"), label=_text(row, "priorities", "label"), rank=_rank(row))
        for row in _rows(table, "priorities")
    ]
    return Visits(
        version=version,
        representatives=representatives,
        representatives_article=article,
        adult_age=age,
        adult_article=age_article,
        agents=agents,
        agents_article=agents_article,
        relations={each.key: each for each in relations},
        priorities={each.key: each for each in priorities},
    )


def _number(table: Mapping[str, Any], part: str, name: str) -> tuple[int, str]:
    row = table.get(part)
    if not isinstance(row, dict) or type(row.get(name)) is not int or row[name] < 1:
        raise ValueError(f"{FILE} [{part}]: {name} must be a whole number from 1")
    return row[name], _text(row, part, "article")


def _rows(table: Mapping[str, Any], part: str) -> list[dict[str, Any]]:
    rows = table.get(part)
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"{FILE}: at least one [[{part}]] is needed")
    keys = [row.get("key") for row in rows]
    if len(set(keys)) != len(keys):
        raise ValueError(f"{FILE} [[{part}]]: a key is given twice")
    return rows


def _text(row: Mapping[str, Any], part: str, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{FILE} [{part}]: {name} is needed in words")
    return value


def _rank(row: Mapping[str, Any]) -> int:
    if type(row.get("rank")) is not int or row["rank"] < 1:
        raise ValueError(f"{FILE} [priorities]: rank must be a whole number from 1")
    return int(row["rank"])
