"""Reading words (甄别用词): weighted word groups and reading parameters, loaded from words.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

GROUPS = (
    *("urgency.danger", "urgency.now", "urgency.life", "urgency.crowd", "urgency.pressing", "urgency.frail"),
    *("urgency.past", "litigation.court", "litigation.procuratorate", "litigation.police", "litigation.judicial"),
    *("litigation.outside", "purpose.suggestion", "purpose.consult", "purpose.accusation", "purpose.misconduct"),
    *("purpose.office", "purpose.appeal", "legal_path.P1", "legal_path.P2", "legal_path.P3", "legal_path.P4"),
    *("legal_path.P5", "remit.concluded", "remit.pending", "remit.review", "remit.discipline", "remit.congress"),
    *("remit.emergency", "people.anonymous", "people.assist", "people.language"),
    *("region.residence", "region.transit", "region.problem", "region.common", "likeness.stop"),
)
_SECTIONS = frozenset(group.partition(".")[0] for group in GROUPS)


@dataclass(frozen=True, slots=True)
class ReadingParameters:
    """Numbers of practice (not of law, except representatives: Regulation art. 20). Lengths are in characters."""

    group_headcount: int  # from so many people on it is a group 集体访
    joint_headcount: int  # from so many signers on it is a joint letter 联名信
    representatives: int  # more representatives than this draw a note
    assist_age: int  # years of age from which help is offered
    title_length: int
    summary_length: int
    read_characters: int  # longer texts are read up to here; the record keeps all


@dataclass(frozen=True, slots=True)
class Words:
    """All word groups. groups: `urgency.danger` -> {word: weight}; paths: content class -> usual P1..P6."""

    version: str
    valid_from: date
    source: str
    parameters: ReadingParameters
    groups: Mapping[str, Mapping[str, float]] = field(repr=False)
    paths: Mapping[str, str] = field(repr=False)


def _parameters(table: object) -> ReadingParameters:
    names = set(ReadingParameters.__dataclass_fields__)
    if not isinstance(table, dict) or set(table) != names:
        raise ValueError(f"words.toml [parameters] must hold exactly {', '.join(sorted(names))}")
    for name, value in table.items():
        if type(value) is not int or value < 1:
            raise ValueError(f"words.toml [parameters] {name} must be a whole number above 0, got {value!r}")
    return ReadingParameters(**table)


def _group(name: str, table: object) -> dict[str, float]:
    if not isinstance(table, dict) or not table:
        raise ValueError(f"words.toml [{name}] must be a table of word = weight with one word at least")
    for word, weight in table.items():
        if not word or word != word.strip():
            raise ValueError(f"words.toml [{name}] holds an empty word or one with blanks: {word!r}")
        if type(weight) not in (int, float) or not 0 < weight <= 5:
            raise ValueError(f"words.toml [{name}] {word}: weight {weight!r} is not in (0, 5]")
    return {word: float(weight) for word, weight in table.items()}


def load_words(folder: Path) -> Words:
    """Read words.toml and check it; ValueError names the part that must be mended."""
    path = folder / "words.toml"
    if not path.is_file():
        raise ValueError("words.toml is missing in the data folder")
    try:
        with path.open("rb") as lines:
            table: dict[str, Any] = tomllib.load(lines)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"words.toml cannot be read: {problem}") from problem
    groups: dict[str, Mapping[str, float]] = {}
    for section in sorted(_SECTIONS & set(table)):
        for part, words in table[section].items():
            groups[f"{section}.{part}"] = _group(f"{section}.{part}", words)
    for missing in set(GROUPS) - set(groups):
        raise ValueError(f"words.toml has no [{missing}]")
    for unknown in set(groups) - set(GROUPS):
        raise ValueError(f"words.toml [{unknown}] is not a group anybody reads")
    paths = table.get("legal_path_of_category", {})
    for code, legal in paths.items():
        if legal not in ("P1", "P2", "P3", "P4", "P5", "P6"):
            raise ValueError(f"words.toml [legal_path_of_category] {code}: {legal!r} is not P1 to P6")
    try:
        valid_from = date.fromisoformat(table["valid_from"])
        version, source = str(table["version"]), str(table["source"])
    except (KeyError, TypeError, ValueError) as problem:
        raise ValueError(f"words.toml needs version, valid_from (a date) and source: {problem!r}") from problem
    return Words(version, valid_from, source, _parameters(table.get("parameters")), groups, paths)
