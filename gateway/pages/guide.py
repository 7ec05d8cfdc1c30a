"""Guide (指南): 网上信访办理指南, 网上信访流程图 and 个人信息处理告知."""

from __future__ import annotations

import aiohttp_jinja2
from aiohttp import web

from config.office import Office
from petition.deadlines import DeadlineEngine

_LIMITS = ("transfer", "acceptance", "opinion", "extension", "review_request", "review", "re_review_request",
           "re_review", "suggestion", "objection")  # fmt: skip


class GuidePages:
    """`GET /guide`, `GET /guide/flow`, `GET /privacy`."""

    def __init__(self, office: Office, deadlines: DeadlineEngine, *, notice_version: str) -> None:
        self._office = office
        self._deadlines = deadlines
        self._notice_version = notice_version

    def routes(self) -> list[web.RouteDef]:
        """The three pages."""
        return [
            web.get("/guide", self.guide),
            web.get("/guide/flow", self.flow),
            web.get("/privacy", self.privacy),
        ]

    async def guide(self, request: web.Request) -> web.StreamResponse:
        """What to bring, how it goes, by when, where to ask."""
        return aiohttp_jinja2.render_template("guide.html", request, {"rules": self._rules()})

    async def flow(self, request: web.Request) -> web.StreamResponse:
        """The flow chart, with the same in words."""
        return aiohttp_jinja2.render_template("flow.html", request, {"rules": self._rules()})

    async def privacy(self, request: web.Request) -> web.StreamResponse:
        """The notice of Personal Information Protection Law arts. 17 and 35, with its version."""
        return aiohttp_jinja2.render_template("privacy.html", request, {"notice_version": self._notice_version})

    def _rules(self) -> dict[str, object]:
        return {key: self._deadlines.rule(key) for key in _LIMITS}
