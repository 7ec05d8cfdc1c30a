"""Origin (来处): the theme channel and the place a petition came through, as they stand in `sub_source`."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Kinds of look-up by which the desk finds and counts cases; they are no marks of a person.
THEME = "theme"
SITE = "origin"

_MARKS = re.compile(r"(theme|origin):(\S+)(?: |$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a petition came through. theme: code of a theme channel; site: code of a QR sheet; words: for people.

    No door lets a sender write a colon into `sub_source`, so nobody outside can claim a theme or a place.
    """

    theme: str = ""
    site: str = ""
    words: str = ""

    def __str__(self) -> str:
        theme, site = self.theme and f"theme:{self.theme}", self.site and f"origin:{self.site}"
        return " ".join(part for part in (theme, site, self.words) if part)


NOWHERE = Origin()


def origin_of(sub_source: str) -> Origin:
    """The origin in a `sub_source`, back from its text; other texts (a hotline's number) are words. Never raises."""
    found: dict[str, str] = {}
    rest = sub_source
    while (mark := _MARKS.match(rest)) and mark[1] not in found:
        found[mark[1]] = mark[2]
        rest = rest[mark.end() :]
    return Origin(theme=found.get("theme", ""), site=found.get("origin", ""), words=rest)
