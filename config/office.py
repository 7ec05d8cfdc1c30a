"""The office (本机关): its name, address, hours and entrances, read from office.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

FILE = "office.toml"
_WORDS = ("name", "address", "postcode", "phone", "hours", "privacy_phone", "transport")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """One way in. channel: name of the channel; value: number or address; always: shown though no channel reads it."""

    channel: str
    title: str
    value: str
    words: str = ""
    always: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What people need to know about the office. bring: what to have at hand, one sentence each."""

    name: str
    address: str
    postcode: str
    phone: str
    hours: str
    privacy_phone: str
    transport: str
    bring: tuple[str, ...] = ()
    entrances: tuple[Entrance, ...] = ()

    def entrance(self, channel: str) -> Entrance | None:
        """The entrance of a channel, or None."""
        return next((each for each in self.entrances if each.channel == channel), None)

    def known_as(
        self, *, name: str = "", address: str = "", phone: str = "", hours: str = "", mailbox: str = ""
    ) -> Office:
        """The office with what the settings say; empty settings leave the data as it is."""
        return replace(
            self,
            name=name or self.name,
            address=address or self.address,
            phone=phone or self.phone,
            hours=hours or self.hours,
            entrances=tuple(
                replace(each, value=mailbox) if mailbox and each.channel == "email" else each for each in self.entrances
            ),
        )


def load_office(folder: Path) -> Office:
    """Read office.toml of the data folder and check it; ValueError names the file and the field."""
    try:
        table: dict[str, Any] = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"{FILE} cannot be read: {problem}") from problem
    known = {*_WORDS, "bring", "entrances"}
    if unknown := sorted(set(table) - known):
        raise ValueError(f"{FILE} has the unknown field {unknown[0]!r}")
    for name in _WORDS:
        if not isinstance(table.get(name), str):
            raise ValueError(f"{FILE}: {name} must be words")
    if not isinstance(table.get("bring", []), list) or not all(
        isinstance(each, str) for each in table.get("bring", [])
    ):
        raise ValueError(f"{FILE}: bring must be a list of sentences")
    entrances = tuple(_entrance(row) for row in table.get("entrances", []))
    if len({each.channel for each in entrances}) != len(entrances):
        raise ValueError(f"{FILE}: a channel has two entrances")
    words = {name: table[name] for name in _WORDS}
    return Office(**words, bring=tuple(table.get("bring", [])), entrances=entrances)


def _entrance(row: object) -> Entrance:
    if not isinstance(row, dict) or set(row) - {"channel", "title", "value", "words", "always"}:
        raise ValueError(f"{FILE}: an entrance has channel, title, value, words and always, got {row!r}")
    for name in ("channel", "title", "value"):
        if not isinstance(row.get(name), str) or not row[name]:
            raise ValueError(f"{FILE}: {name} of an entrance must be words")
    return Entrance(
        channel=row["channel"],
        title=row["title"],
        value=row["value"],
        words=str(row.get("words", "")),
        always=row.get("always", False) is True,
    )
