"""Notices (短信告知): what leaves the house as a text message, when and how often, read from notices.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from string import Template
from typing import Any

FILE = "notices.toml"
ONE, JOINED = 70, 67  # UCS-2 signs of a single text message and of each part of a joined one (3GPP TS 23.040)
MOST = 2  # parts of any text of ours

ACKNOWLEDGEMENT, NOTICE, CODE = "acknowledgement", "notice", "code"
VARIABLES: Mapping[str, frozenset[str]] = {
    ACKNOWLEDGEMENT: frozenset({"case_no", "query_code", "track_url"}),
    NOTICE: frozenset({"case_no", "status", "track_url"}),
    CODE: frozenset({"code", "minutes"}),
}
_NEEDED: Mapping[str, str] = {ACKNOWLEDGEMENT: "case_no", NOTICE: "case_no", CODE: "code"}  # what a text is sent for
_KNOWN = frozenset({"version", "daily", "expires_hours", "quiet", *VARIABLES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """texts: by kind (acknowledgement, notice, code), with the variables of `VARIABLES`; status: name of a status ->
    words of its notice; daily: most text messages a day to one number; expires: how long one is worth sending."""

    version: str
    daily: int
    expires: timedelta
    quiet_from: time
    quiet_until: time
    texts: Mapping[str, str]
    status: Mapping[str, str]

    def written(self, kind: str, values: Mapping[str, str], sign: str) -> str:
        """One text with the signature before it; KeyError when a value is missing."""
        words = Template(self.texts[kind]).substitute({name: values[name] for name in VARIABLES[kind]})
        return f"【{sign}】{words}" if sign else words

    def awake(self, moment: datetime) -> datetime:
        """The moment itself, or the end of the quiet hours it lies in."""
        begin, end, now = self.quiet_from, self.quiet_until, moment.time()
        quiet = begin <= now < end if begin <= end else now >= begin or now < end
        if not quiet:
            return moment
        return self.morning(moment) if now >= end else _at(moment, end)

    def morning(self, moment: datetime) -> datetime:
        """The end of the quiet hours on the next day."""
        return _at(moment + timedelta(days=1), self.quiet_until)

    def longest(self, sign: str, track_url: str) -> str:
        """The longest text that can leave under this signature and address."""
        values = {"case_no": "0" * 22, "query_code": "0000-0000-0000", "track_url": track_url}
        values |= {"code": "000000", "minutes": "00"}
        told = [values | {"status": words} for words in self.status.values()] or [values | {"status": ""}]
        return max((self.written(kind, each, sign) for kind in self.texts for each in told), key=len)


def segments(text: str) -> int:
    """How many text messages a text takes: UTF-16 units, because an emoji counts twice."""
    units = len(text.encode("utf-16-le")) // 2
    return 1 if units <= ONE else -(-units // JOINED)


def load_notices(folder: Path) -> Notices:
    """Read notices.toml of the data folder and check it; ValueError names the file and the field."""
    try:
        table: dict[str, Any] = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ValueError(f"{FILE} cannot be read: {problem}") from problem
    if unknown := sorted(set(table) - _KNOWN):
        raise ValueError(f"{FILE} has the unknown field {unknown[0]!r}")
    for name in ("daily", "expires_hours"):
        if type(table.get(name)) is not int or not 1 <= table[name] <= 1000:
            raise ValueError(f"{FILE}: {name} must be a whole number from 1 to 1000")
    quiet = table.get("quiet")
    if not isinstance(quiet, dict) or not all(isinstance(quiet.get(name), time) for name in ("from", "until")):
        raise ValueError(f"{FILE}: quiet needs from and until as times such as 21:00:00")
    texts = {kind: _text(kind, table.get(kind)) for kind in VARIABLES}
    status = table[NOTICE].get("status", {})
    if not isinstance(status, dict) or not all(isinstance(words, str) and words for words in status.values()):
        raise ValueError(f"{FILE}: notice.status must give words for each status")
    return Notices(
        version=str(table.get("version", "")),
        daily=table["daily"],
        expires=timedelta(hours=table["expires_hours"]),
        quiet_from=quiet["from"],
        quiet_until=quiet["until"],
        texts=texts,
        status=status,
    )


def _text(kind: str, row: object) -> str:
    text = row.get("text") if isinstance(row, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{FILE}: {kind} needs a text")
    used = set(Template(text).get_identifiers())
    if not Template(text).is_valid() or used - VARIABLES[kind] or _NEEDED[kind] not in used:
        known = ", ".join(f"${{{name}}}" for name in sorted(VARIABLES[kind]))
        raise ValueError(f"{FILE}: the text of {kind} must name ${{{_NEEDED[kind]}}} and may use {known} only")
    return text


def _at(day: datetime, hour: time) -> datetime:
    return day.replace(hour=hour.hour, minute=hour.minute, second=hour.second, microsecond=0)
