"""Roles (岗位): which verbs a role has, in which lanes and how far, read from roles.toml and checked at start."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

FILE = "roles.toml"
REACHES = ("region", "unit", "none")
LANES = ("normal", "sealed")
# The verbs the code asks for; a file that lacks one would refuse it to everybody without a word.
VERBS = (
    *("list", "read", "read_identity", "search", "correct", "confirm", "reroute", "release", "link", "retry"),
    *("unseal", "audit", "officers"),
    *("answer", "call_back"),
    "register_visit",
    "file_for",
)
_FIELDS = frozenset({"label", "reach", "lanes", "verbs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRow:
    """One role. label: its Chinese name; reach: one of REACHES; lanes: where its verbs hold; verbs: what it may."""

    key: str
    label: str
    reach: str
    lanes: frozenset[str]
    verbs: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """All roles in the order of the file, and the Chinese words of the verbs."""

    version: str
    rows: Mapping[str, RoleRow]
    verbs: Mapping[str, str]

    def __contains__(self, key: object) -> bool:
        return key in self.rows

    def find(self, key: str) -> RoleRow | None:
        """The role of that key, or None; an officer may still carry a role that was taken out of the file."""
        return self.rows.get(key)

    def labels(self, keys: tuple[str, ...]) -> str:
        """登记员、甄别员; unknown keys are left out."""
        return "、".join(row.label for key in keys if (row := self.rows.get(key)))


def load_roles(folder: Path) -> Roles:
    """Read and check roles.toml in the data folder; ValueError names the file, the role and what is wrong."""
    path = folder / FILE
    if not path.is_file():
        raise ValueError(f"{FILE} is not in the data folder")
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"{FILE} cannot be read: {problem}") from problem
    version, verbs, rows = table.get("version"), table.get("verbs"), table.get("roles")
    if not isinstance(version, str) or not isinstance(verbs, dict) or not isinstance(rows, dict) or not rows:
        raise ValueError(f"{FILE}: version, [verbs] and at least one [roles.…] are needed")
    if set(verbs) != set(VERBS):
        odd = ", ".join(sorted(set(verbs) ^ set(VERBS)))
        raise ValueError(f"{FILE}: [verbs] must name exactly the verbs of the house; missing or unknown: {odd}")
    return Roles(
        version=version,
        rows=MappingProxyType({key: _row(key, row) for key, row in rows.items()}),
        verbs=MappingProxyType({key: str(words) for key, words in verbs.items()}),
    )


def _row(key: str, row: object) -> RoleRow:
    where = f"{FILE} [roles.{key}]"
    if not isinstance(row, dict) or set(row) != _FIELDS:
        raise ValueError(f"{where}: exactly label, reach, lanes and verbs are needed")
    if not isinstance(row["label"], str) or not row["label"].strip():
        raise ValueError(f"{where}: the role has no label")
    if row["reach"] not in REACHES:
        raise ValueError(f"{where}: reach must be one of {', '.join(REACHES)}, got {row['reach']!r}")
    return RoleRow(
        key=key,
        label=row["label"],
        reach=row["reach"],
        lanes=_subset(row["lanes"], LANES, f"{where} lanes"),
        verbs=_subset(row["verbs"], VERBS, f"{where} verbs"),
    )


def _subset(values: object, known: tuple[str, ...], where: str) -> frozenset[str]:
    if not isinstance(values, list):
        raise ValueError(f"{where}: a list is needed")
    for value in values:
        if value not in known:
            raise ValueError(f"{where}: unknown {value!r}; there are {', '.join(known)}")
    return frozenset(values)
