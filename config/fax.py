"""Fax data (传真): how a fax folder is watched, and the patterns of its file names, read from fax.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

FILE = "fax.toml"
ANY = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How a folder is polled. every, settle, patience, claimed: seconds; keep_days: how long entered files stay.

    ignored: shell patterns of names that are no input; batch: files of one look.
    """

    every: float
    settle: float
    patience: float
    claimed: float
    keep_days: int
    batch: int
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FaxData:
    """The watch, and by name the patterns for file names and for words of a fax gateway's mail."""

    version: str
    watch: Watch
    names: Mapping[str, re.Pattern[str]]
    mails: Mapping[str, re.Pattern[str]]

    def chosen(self, name: str) -> tuple[re.Pattern[str], ...]:
        """The patterns of file names a house uses: `auto` for all; ValueError lists what there is."""
        if name == ANY:
            return tuple(self.names.values())
        if name not in self.names:
            known = ", ".join((ANY, *self.names))
            raise ValueError(f"GATEWAY_FAX_NAMES: 没有命名规则 {name} (unknown); 现有 (known): {known}")
        return (self.names[name],)


def load_fax(folder: Path) -> FaxData:
    """Read and check fax.toml of the data folder; ValueError names what is wrong."""
    try:
        table: dict[str, Any] = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
        given = {**table["watch"], "ignored": tuple(table["watch"].get("ignored", ()))}
        watch = Watch(**given)
        names, mails = _patterns(table["names"]), _patterns(table["mails"])
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, re.error) as problem:
        raise ValueError(f"{FILE} cannot be read: {problem}") from problem
    for field in fields(Watch):
        value = getattr(watch, field.name)
        if field.name != "ignored" and (not isinstance(value, int | float) or value <= 0):
            raise ValueError(f"{FILE}: watch.{field.name} must be a number above 0")
    return FaxData(version=str(table.get("version", "")), watch=watch, names=names, mails=mails)


def _patterns(rows: list[dict[str, str]]) -> Mapping[str, re.Pattern[str]]:
    found = {row["name"]: re.compile(row["pattern"]) for row in rows}
    for name, pattern in found.items():
        if "sender" not in pattern.groupindex:
            raise ValueError(f"{FILE}: the pattern {name} finds no sender")
    return MappingProxyType(found)
