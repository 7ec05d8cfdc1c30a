"""Supplement (补充材料): words and files added to an opened case; each one is an Arrival of its own."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

import aiohttp_jinja2
from aiohttp import web

from channels.web import SUPPLEMENT_MAX, check_supplement, supplement_of
from gateway.drafts import FILES_MAX
from gateway.forms import ACCEPTED_WORDS, CsrfCheck, IncomingFile, read_parts, shown_size
from gateway.pages.filing import shown
from gateway.pages.track import PATH, CaseCookie
from petition import numbering
from petition.arrival import Intake, Upload
from petition.clock import Clock
from petition.errors import Problem

_ONCE = re.compile("[A-Za-z0-9_-]{20,40}")


class SupplementPage:
    """`/track/supplement`."""

    def __init__(
        self, cookie: CaseCookie, intake: Intake, clock: Clock, check_csrf: CsrfCheck, *, max_file: int
    ) -> None:
        self._cookie = cookie
        self._intake = intake
        self._clock = clock
        self._check_csrf = check_csrf
        self._max_file = max_file

    def routes(self) -> list[web.RouteDef]:
        """Show and send."""
        return [web.get(f"{PATH}/supplement", self.show), web.post(f"{PATH}/supplement", self.send)]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The form, with a mark by which a second click is known."""
        return self._page(request, self._case(request), "", secrets.token_urlsafe(18), ())

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Hand the addition in once; when something must be mended the words stay, files are chosen again."""
        case_no = self._case(request)
        parts = read_parts(request, check_csrf=self._check_csrf, max_file=self._max_file, max_files=FILES_MAX)
        async with parts as given:
            content = given.fields.get("content", "")
            once = given.fields.get("once", "")
            problems = [Problem("files", "file", file.problem) for file in given.files if file.problem]
            problems += check_supplement(content, len(given.files))
            if not _ONCE.fullmatch(once):
                once = secrets.token_urlsafe(18)
                problems = problems or [Problem("content", "again", "请再点一次“提交补充”。")]
            if problems:
                return self._page(request, case_no, content, once, tuple(problems))
            uploads = [Upload(name=each.name, media_type=each.media_type, path=each.path) for each in given.files]
            raw_id = f"supplement-{once}"
            digests = _digests(given.files)
            await self._intake(supplement_of(case_no, content, uploads, digests, raw_id, self._clock()))
        raise web.HTTPSeeOther(f"{PATH}/case?added=1")

    def _case(self, request: web.Request) -> str:
        case_no = self._cookie.take(request)
        if not case_no:
            raise web.HTTPSeeOther(f"{PATH}?over=1")
        return case_no

    def _page(
        self, request: web.Request, case_no: str, content: str, once: str, problems: tuple[Problem, ...]
    ) -> web.StreamResponse:
        context = {
            "case_no_shown": numbering.parse_case_no(case_no).shown,
            "values": shown({"content": content}),
            "once": once,
            "problems": problems,
            "errors": {problem.field: problem.words for problem in reversed(problems)},
            "accepted": ACCEPTED_WORDS,
            "max_size": shown_size(self._max_file),
            "content_max": SUPPLEMENT_MAX,
        }
        status = 422 if problems else 200
        return aiohttp_jinja2.render_template("track/supplement.html", request, context, status=status)


def _digests(files: Sequence[IncomingFile]) -> list[str]:
    return [_digest(each.path) for each in files]


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
