"""Content classes (内容分类): the versioned two-level table of DOMAIN 3.4 and the words that suggest a class."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

_CODE = re.compile(r"\d\d(?:\.\d\d){0,2}")
_HEAD = ["code_system", "version", "valid_from", "code", "name", "aliases"]
_WORD_HEAD = ["code", "word", "weight"]


@dataclass(frozen=True, slots=True)
class Category:
    """One class. code: `03` or `03.02`; name: its own Chinese name; aliases: other names in use."""

    code: str
    name: str
    aliases: tuple[str, ...] = ()

    @property
    def parent(self) -> str:
        """The code one level up, empty for level 1."""
        return self.code.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Categories:
    """The whole table. words: (code, word, weight) rows of category_words.csv, weight in (0, 5]."""

    code_system: str
    version: str
    valid_from: date
    rows: Mapping[str, Category]
    words: tuple[tuple[str, str, float], ...] = field(repr=False)

    def __contains__(self, code: object) -> bool:
        return code in self.rows

    def find(self, code: str) -> Category | None:
        """The class with this code, else None."""
        return self.rows.get(code)

    def children(self, code: str = "") -> tuple[Category, ...]:
        """The classes one level below `code`; an empty code gives level 1."""
        return tuple(row for row in self.rows.values() if row.parent == code)

    def full_name(self, code: str) -> str:
        """城乡建设/物业管理 for 03.03; empty for an unknown code."""
        row = self.rows.get(code)
        if row is None:
            return ""
        above = self.full_name(row.parent) if row.parent else ""
        return f"{above}/{row.name}" if above else row.name

    def by_name(self, name: str) -> Category | None:
        """The class called so: code, full name, own name or alias (`政法/涉法涉诉(法院)`); None if not exactly one."""
        name = name.strip().replace("\uff08", "(").replace("\uff09", ")")
        if name in self.rows:
            return self.rows[name]
        head, _, tail = name.rpartition("/")
        above = self.by_name(head) if head else None
        if head and above is None:
            return None
        found = [
            row
            for row in self.rows.values()
            if tail in (row.name, *row.aliases) and (above is None or row.parent == above.code)
        ]
        return found[0] if len(found) == 1 else None


def _table(path: Path, head: list[str]) -> list[tuple[int, list[str]]]:
    if not path.is_file():
        raise ValueError(f"{path.name} is missing in the data folder")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    if not rows or rows[0] != head:
        raise ValueError(f"{path.name} line 1: the heading must be {','.join(head)}")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(head):
            raise ValueError(f"{path.name} line {number}: expected {len(head)} columns, got {len(row)}")
    return list(enumerate(rows[1:], start=2))


def _words(path: Path, known: Mapping[str, Category]) -> tuple[tuple[str, str, float], ...]:
    found: dict[tuple[str, str], float] = {}
    for number, (code, word, weight) in _table(path, _WORD_HEAD):
        where = f"{path.name} line {number}"
        if code not in known:
            raise ValueError(f"{where}: class {code!r} is not in categories.csv")
        if len(word) < 2 or word != word.strip():
            raise ValueError(f"{where}: a word needs two characters at least and no blanks around it, got {word!r}")
        if (code, word) in found:
            raise ValueError(f"{where}: {word} stands twice for {code}")
        try:
            value = float(weight)
        except ValueError:
            raise ValueError(f"{where}: weight {weight!r} is not a number") from None
        if not 0 < value <= 5:
            raise ValueError(f"{where}: weight {weight} is not in (0, 5]")
        found[code, word] = value
    if not found:
        raise ValueError(f"{path.name} holds no word")
    return tuple((code, word, weight) for (code, word), weight in found.items())


def load_categories(folder: Path) -> Categories:
    """Read categories.csv and category_words.csv and check every row; ValueError names file and line."""
    path = folder / "categories.csv"
    rows: dict[str, Category] = {}
    heads: set[tuple[str, str, str]] = set()
    for number, (system, version, since, code, name, aliases) in _table(path, _HEAD):
        where = f"{path.name} line {number}"
        if not _CODE.fullmatch(code):
            raise ValueError(f"{where}: {code!r} is not a class code such as 03 or 03.02")
        if not name or code in rows:
            raise ValueError(f"{where}: {code} has no name or stands twice")
        row = Category(code, name, tuple(filter(None, aliases.split("|"))))
        if row.parent and row.parent not in rows:
            raise ValueError(f"{where}: {code} comes before its parent {row.parent}")
        rows[code] = row
        heads.add((system, version, since))
    if len(heads) != 1:
        raise ValueError(f"{path.name}: one code_system, version and valid_from for the whole file, got {len(heads)}")
    system, version, since = heads.pop()
    try:
        valid_from = date.fromisoformat(since)
    except ValueError:
        raise ValueError(f"{path.name}: valid_from {since!r} is not a date") from None
    return Categories(
        code_system=system,
        version=version,
        valid_from=valid_from,
        rows=rows,
        words=_words(folder / "category_words.csv", rows),
    )
