"""Sites (二维码登记): the places whose printed QR sheets lead to the form, in a register that is kept for years."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path

from channels.web import UNSEEN
from petition.errors import Invalid, NotFound, Problem
from petition.identity import CODE_31
from petition.numbering import check_character

FILE = "sites.csv"
ORIGIN_MAX = 40  # one line of the sheet and of the officers' lists
_RANDOM = 6  # 31^6: nobody types a sheet's code by chance, and the check character catches slips
_CODE = re.compile(rf"[{CODE_31}]{{{_RANDOM + 1}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sheet hangs. region, theme: codes, empty for none."""

    origin: str
    region: str = ""
    theme: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One sheet. code: six random characters and a check character; number: of the sheet; withdrawn: ISO day, or
    empty while it is good."""

    code: str
    origin: str
    region: str
    theme: str
    number: int
    issued: str
    withdrawn: str = ""

    @property
    def place(self) -> Place:
        """Where it hangs."""
        return Place(origin=self.origin, region=self.region, theme=self.theme)


_HEAD = [one.name for one in fields(Site)]


class Sites:
    """The register: one CSV file in the data folder, read again when it changes, written by the command line only.

    A file and not a table, so that sheets can be made and withdrawn beside a running house (ADR 17).
    """

    def __init__(self, data: Path) -> None:
        self._path = data / FILE
        self._seen: tuple[int, int] | None = None
        self._rows: dict[str, Site] = {}

    def find(self, code: str) -> Site | None:
        """The sheet with this code if it is good; None for what is unknown, withdrawn or no code at all."""
        typed = code.upper().replace("-", "")[: _RANDOM + 2]
        if not _CODE.fullmatch(typed) or check_character(typed[:-1]) != typed[-1]:
            return None
        site = self._read().get(typed)
        return site if site is not None and not site.withdrawn else None

    def all(self) -> tuple[Site, ...]:
        """Every sheet ever issued, in the order of their numbers; ValueError for a register that cannot be read."""
        return tuple(self._read().values())

    def issue(self, places: Sequence[Place], today: date) -> tuple[Site, ...]:
        """A sheet for each place; a place that has a good one keeps it. Invalid for words that cannot be printed."""
        for place in places:
            _check(place)
        with self._locked():
            rows = self._read()
            good = {site.place: site for site in rows.values() if not site.withdrawn}
            last = max((site.number for site in rows.values()), default=0)
            found: list[Site] = []
            for place in places:
                if place not in good:
                    last += 1
                    good[place] = _new(place, last, today, rows)
                    rows[good[place].code] = good[place]
                found.append(good[place])
            self._write(rows)
        return tuple(found)

    def withdraw(self, code: str, today: date) -> Site:
        """The sheet counts no more; what came through it keeps its origin. NotFound."""
        site = self.find(code)
        if site is None:
            raise NotFound("没有这个二维码，或已经停用。")
        with self._locked():
            rows = self._read()
            rows[site.code] = replace(site, withdrawn=today.isoformat())
            self._write(rows)
        return rows[site.code]

    def _read(self) -> dict[str, Site]:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return {}
        seen = (stat.st_mtime_ns, stat.st_size)
        if seen != self._seen:
            self._rows, self._seen = _parsed(self._path.read_text(encoding="utf-8-sig")), seen
        return dict(self._rows)

    def _write(self, rows: dict[str, Site]) -> None:
        """Whole or not at all: a new file takes the place of the old one."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_HEAD)
        writer.writerows([str(getattr(site, name)) for name in _HEAD] for site in rows.values())
        new = self._path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as target:
            target.write(text.getvalue())
            target.flush()
            os.fsync(target.fileno())
        os.replace(new, self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Two commands at once must not give out one number twice."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _check(place: Place) -> None:
    words = ""
    if not place.origin.strip() or len(place.origin) > ORIGIN_MAX:
        words = f"来源地点应为1到{ORIGIN_MAX}个字 (1 to {ORIGIN_MAX} characters)。"
    elif UNSEEN.search(place.origin) or "\n" in place.origin:
        words = "来源地点里有无法显示的字符 (characters that cannot be shown)。"
    if words:
        raise Invalid((Problem("origin", "origin", words),), words)


def _new(place: Place, number: int, today: date, taken: dict[str, Site]) -> Site:
    while True:
        body = "".join(secrets.choice(CODE_31) for _ in range(_RANDOM))
        code = body + check_character(body)
        if code not in taken:
            break
    return Site(
        code=code,
        origin=place.origin,
        region=place.region,
        theme=place.theme,
        number=number,
        issued=today.isoformat(),
    )


def _parsed(text: str) -> dict[str, Site]:
    reader = csv.reader(io.StringIO(text))
    if next(reader, None) != _HEAD:
        raise ValueError(f"{FILE} line 1: the heading must be {','.join(_HEAD)}")
    rows: dict[str, Site] = {}
    for row in reader:
        if len(row) != len(_HEAD) or not row[4].isdecimal() or not _CODE.fullmatch(row[0]):
            raise ValueError(f"{FILE} line {reader.line_num}: 不是一行二维码登记 (is no row of the register)")
        values = dict(zip(_HEAD, row, strict=True))
        rows[row[0]] = Site(**{**values, "number": int(row[4])})  # type: ignore[arg-type]
    return rows
