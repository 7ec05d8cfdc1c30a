"""Reading comfort (适老化): large text and light or dark, kept in two cookies, without JavaScript."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from gateway.forms import read_fields

TEXT, THEME = "text", "theme"
_CHOICES = {TEXT: ("large", "normal"), THEME: ("light", "dark", "auto")}
_YEAR = 365 * 24 * 3600
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


@dataclass(frozen=True, slots=True)
class Display:
    """How this browser wants to see pages; empty values follow the system."""

    text: str = ""
    theme: str = ""


def display_of(request: web.Request) -> Display:
    """The choices in the cookies; anything unknown counts as not chosen."""
    text, theme = request.cookies.get(TEXT, ""), request.cookies.get(THEME, "")
    return Display("large" if text == "large" else "", theme if theme in ("light", "dark") else "")


def safe_path(path: str) -> str:
    """A path of this house to go back to; `/` for anything that leads elsewhere."""
    return path if len(path) <= 500 and _LOCAL.fullmatch(path) else "/"


def asset_urls(folder: Path) -> Callable[[str], str]:
    """A function for templates: asset('css/page.css') gives its address with a digest, so that browsers may keep it."""
    digests: Mapping[str, str] = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:10]
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }

    def asset(name: str) -> str:
        return f"/static/{name}?v={digests[name]}"

    return asset


class DisplayPage:
    """`POST /display`: keeps a choice and goes back where the person was."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure

    def routes(self) -> list[web.RouteDef]:
        """The one route."""
        return [web.post("/display", self.choose)]

    async def choose(self, request: web.Request) -> web.StreamResponse:
        """Set the cookie and return by 303."""
        fields = await read_fields(request)
        response = web.HTTPSeeOther(safe_path(fields.get("back", "/")))
        for name, choices in _CHOICES.items():
            if fields.get(name) in choices:
                # Readable by the page's script, which switches without a reload; it tells nothing about the person.
                response.set_cookie(name, fields[name], max_age=_YEAR, samesite="Lax", secure=self._secure)
        raise response
