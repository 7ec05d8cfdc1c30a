"""The region picker (选择地点): province, city, county, township by pages and by search, without a map."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from config.regions import Level, Region, Regions

ROOT = "0"  # in the address: show the provinces
_HITS = 30
_WORDS_MAX = 30


@dataclass(frozen=True, slots=True)
class Place:
    """One place to choose: its full name and whether there is something below it."""

    code: str
    name: str
    full_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picker:
    """What the picker page shows. at: the place whose parts are listed, None for the whole country."""

    at: Place | None
    trail: tuple[Place, ...]
    parts: tuple[Place, ...]
    parts_level: str
    words: str
    hits: tuple[Place, ...]
    chosen: Place | None


class RegionPicker:
    """Looks places up for the page `/file/region`, and answers searches while typing at `/regions.json`."""

    def __init__(self, regions: Regions, *, home: str) -> None:
        self._regions = regions
        self._home = home

    def routes(self) -> list[web.RouteDef]:
        """The search for scripts; the page itself belongs to the filing."""
        return [web.get("/regions.json", self.search)]

    def known(self, code: str) -> bool:
        """Whether this is a place one may choose."""
        return self._regions.find(code) is not None

    def full_name(self, code: str) -> str:
        """甘肃省兰州市城关区, or empty."""
        return self._regions.full_name(code)

    def picker(self, at: str, words: str, chosen: str) -> Picker:
        """The page for a place (empty: near the chosen one or the office; `0`: the country) and a search."""
        region = self._start(at, chosen)
        parts = self._regions.children(region.code if region else "")
        found = self._regions.find(chosen)
        return Picker(
            at=self._place(region) if region else None,
            trail=tuple(map(self._place, self._regions.parents(region.code))) if region else (),
            parts=tuple(map(self._place, parts)),
            parts_level=_LEVELS[parts[0].level] if parts else "",
            words=words[:_WORDS_MAX].strip(),
            hits=self._hits(words),
            chosen=self._place(found) if found else None,
        )

    async def search(self, request: web.Request) -> web.StreamResponse:
        """Places for what is being typed: [{code, name}]."""
        hits = self._hits(request.query.get("q", ""))
        return web.json_response([{"code": place.code, "name": place.full_name} for place in hits])

    def _start(self, at: str, chosen: str) -> Region | None:
        if at == ROOT:
            return None
        if region := self._regions.find(at):
            return region
        if near := self._regions.find(chosen):
            above = self._regions.parents(near.code)
            return near if self._regions.children(near.code) else (above[-1] if above else near)
        return self._regions.find(self._home)

    def _hits(self, words: str) -> tuple[Place, ...]:
        words = words[:_WORDS_MAX].strip()
        if not words:
            return ()
        # Places of the office's own region come first: a village name is found in many provinces.
        near = self._regions.search(words, within=self._home, limit=_HITS)
        far = self._regions.search(words, limit=_HITS)
        places = {place.code: place for place in (*near, *far, *self._joined(words, bool(near or far)))}
        return tuple(self._place(place) for place in list(places.values())[:_HITS])

    def _joined(self, words: str, enough: bool) -> tuple[Region, ...]:
        """兰州城关: a wider place and a narrower one written together; the longest wider part that fits wins."""
        for cut in range(len(words) - 2, 1, -1) if not enough else ():
            for wide in self._regions.search(words[:cut], limit=5):
                if inner := self._regions.search(words[cut:].lstrip("省市州县区 "), within=wide.code, limit=_HITS):
                    return inner
        return ()

    def _place(self, region: Region) -> Place:
        return Place(region.code, region.name, self._regions.full_name(region.code))


_LEVELS = {Level.PROVINCE: "省级", Level.CITY: "市州", Level.COUNTY: "县区", Level.TOWNSHIP: "乡镇街道"}
