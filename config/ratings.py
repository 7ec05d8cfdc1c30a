"""Ratings (满意度评价): the scale and which matters are rated at all, from ratings.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "ratings.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingScale:
    """steps: value to label, best first; words_most: signs of the rater's own words.

    legal_paths_outside: statutory paths whose matters are not rated; first_only: matters filed before are not either.
    """

    version: str
    article: str
    steps: Mapping[int, str]
    words_most: int
    legal_paths_outside: frozenset[str]
    first_only: bool


def load_ratings(folder: Path) -> RatingScale:
    """Read and check ratings.toml in the data folder; ValueError names what is wrong."""
    path = folder / FILE
    if not path.is_file():
        raise ValueError(f"{FILE} is not in the data folder")
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"{FILE} cannot be read: {problem}") from problem
    scope = table.get("scope")
    if not isinstance(table.get("version"), str) or not isinstance(table.get("article"), str):
        raise ValueError(f"{FILE}: version and article are needed")
    if not isinstance(scope, dict) or type(scope.get("first_only")) is not bool:
        raise ValueError(f"{FILE} [scope]: first_only must be true or false")
    paths = scope.get("legal_paths_outside")
    if not isinstance(paths, list) or not all(isinstance(each, str) for each in paths):
        raise ValueError(f"{FILE} [scope]: legal_paths_outside must be a list of paths")
    most = table.get("words_most")
    if type(most) is not int or most < 1:
        raise ValueError(f"{FILE}: words_most must be a whole number from 1")
    return RatingScale(
        version=table["version"],
        article=table["article"],
        steps=_steps(table.get("steps")),
        words_most=most,
        legal_paths_outside=frozenset(paths),
        first_only=scope["first_only"],
    )


def _steps(rows: object) -> dict[int, str]:
    if not isinstance(rows, list) or len(rows) < 2:
        raise ValueError(f"{FILE}: at least two [[steps]] are needed")
    found: dict[int, str] = {}
    for row in rows:
        value, label = row.get("value"), row.get("label")
        if type(value) is not int or not isinstance(label, str) or not label.strip() or value in found:
            raise ValueError(f"{FILE} [[steps]]: each step needs a number of its own and a label")
        found[value] = label
    return dict(sorted(found.items(), reverse=True))
