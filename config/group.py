"""Group rules (网上联名): figures of joining a petition by link, read from group.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

FILE = "group.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRules:
    """representatives: at most (Regulation art. 20); the others are practice, explained in the file."""

    representatives: int
    group_headcount: int
    link_days: int
    members: int
    listed: int
    tell_minutes: int
    code_minutes: int
    joins_a_minute: int


def load_group(folder: Path) -> GroupRules:
    """Read and check group.toml of the data folder; ValueError names what is wrong."""
    try:
        table: dict[str, Any] = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"{FILE} cannot be read: {problem}") from problem
    names = {field.name for field in fields(GroupRules)}
    if set(table) - {"version"} != names:
        raise ValueError(f"{FILE} must hold exactly {', '.join(sorted(names))}")
    for name in names:
        if type(table[name]) is not int or table[name] < 1:
            raise ValueError(f"{FILE}: {name} must be a whole number above 0")
    return GroupRules(**{name: table[name] for name in names})
