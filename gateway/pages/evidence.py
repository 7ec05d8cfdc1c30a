"""Evidence (证明材料): files added one by one or several at once, with or without JavaScript, and taken out again."""

from __future__ import annotations

import aiohttp_jinja2
from aiohttp import web

from channels.answers import Answers
from gateway.drafts import FILES_MAX, PATH, DraftDesk
from gateway.forms import ACCEPTED_WORDS, CsrfCheck, IncomingFile, Parts, read_fields, read_parts, shown_size
from gateway.pages.filing import after, answers_of, view
from petition.attachment import AttachmentRole
from petition.errors import NotFound, Problem, TooLarge
from store.drafts import Draft, DraftUpload

ROLES = (
    (AttachmentRole.EVIDENCE, "证明材料"),
    (AttachmentRole.MANDATE, "授权委托书"),
    (AttachmentRole.SIGNATURES, "联名签名页"),
)
_ASKED = {"agent": (AttachmentRole.EVIDENCE, AttachmentRole.MANDATE),
          "joint": (AttachmentRole.EVIDENCE, AttachmentRole.SIGNATURES)}  # fmt: skip
_ROLE_NAMES = dict(ROLES)


class EvidencePages:
    """`/file/evidence`. A script that asks for JSON gets each file's row; a plain form gets the page again."""

    def __init__(self, desk: DraftDesk, check_csrf: CsrfCheck, *, max_file: int) -> None:
        self._desk = desk
        self._check_csrf = check_csrf
        self._max_file = max_file

    def routes(self) -> list[web.RouteDef]:
        """Show, add, go on, remove."""
        return [
            web.get(f"{PATH}/evidence", self.show),
            web.post(f"{PATH}/evidence", self.add),
            web.post(rf"{PATH}/evidence/{{upload:\d{{1,12}}}}/remove", self.remove),
        ]

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The files so far and the form to add more."""
        draft = await self._desk.current(request)
        return self._page(request, draft, (), to_check=request.query.get("from") == "check")

    async def add(self, request: web.Request) -> web.StreamResponse:
        """Take files in; with files chosen the page comes again, without it goes on."""
        draft = await self._desk.current(request)
        wants_json = "application/json" in request.headers.get("Accept", "")
        parts = read_parts(request, check_csrf=self._check_csrf, max_file=self._max_file, max_files=FILES_MAX)
        async with parts as given:
            problems = await self._keep(draft, given)
            to_check = given.fields.get("from") == "check"
            chosen, going_on = bool(given.files), given.fields.get("do") == "next"
        if wants_json:
            fresh = await self._desk.current(request)
            rows = [self._row(upload) for upload in fresh.uploads]
            words = [problem.words for problem in problems]
            return web.json_response({"files": rows, "problems": words}, status=422 if words else 200)
        if problems:
            return self._page(request, await self._desk.current(request), problems, to_check=to_check)
        if chosen and not going_on:
            raise web.HTTPSeeOther(f"{PATH}/evidence" + ("?from=check" if to_check else ""))
        raise web.HTTPSeeOther(after("evidence", answers_of(draft), to_check=to_check))

    async def remove(self, request: web.Request) -> web.StreamResponse:
        """Take one file out."""
        draft = await self._desk.current(request)
        fields = await read_fields(request)
        await self._desk.drafts.remove_upload(draft.token, int(request.match_info["upload"]))
        raise web.HTTPSeeOther(f"{PATH}/evidence" + ("?from=check" if fields.get("from") == "check" else ""))

    async def _keep(self, draft: Draft, given: Parts) -> tuple[Problem, ...]:
        found = []
        asked = _ASKED.get(answers_of(draft).manner, ())
        role = AttachmentRole.EVIDENCE
        if given.fields.get("role") in asked:
            role = AttachmentRole(given.fields["role"])
        for file in given.files:
            words = file.problem or await self._take(draft, file, role)
            if words:
                found.append(Problem("files", "file", words))
        return tuple(found)

    async def _take(self, draft: Draft, file: IncomingFile, role: AttachmentRole) -> str:
        try:
            await self._desk.drafts.add_upload(draft.token, file.name, file.media_type, file.path, role)
        except TooLarge as problem:
            return problem.words
        except NotFound:
            raise web.HTTPSeeOther(f"{PATH}?gone=1") from None
        return ""

    def _page(
        self, request: web.Request, draft: Draft, problems: tuple[Problem, ...], *, to_check: bool
    ) -> web.StreamResponse:
        answers: Answers = answers_of(draft)
        context = view("evidence", answers, problems, to_check=to_check) | {
            "files": [self._row(upload) for upload in draft.uploads],
            "roles": [(role.value, _ROLE_NAMES[role]) for role in _ASKED.get(answers.manner, ())],
            "accepted": ACCEPTED_WORDS,
            "max_size": shown_size(self._max_file),
            "max_bytes": self._max_file,
            "full": len(draft.uploads) >= FILES_MAX,
        }
        return aiohttp_jinja2.render_template("filing/evidence.html", request, context)

    @staticmethod
    def _row(upload: DraftUpload) -> dict[str, object]:
        return row_of(upload)


def row_of(upload: DraftUpload) -> dict[str, object]:
    """A file as a line of a list."""
    kind = upload.media_type.partition("/")[0]
    return {
        "id": upload.id,
        "name": upload.name,
        "size": shown_size(upload.size),
        "kind": {"image": "图片", "video": "视频", "audio": "录音"}.get(kind, "文件"),
        "role": _ROLE_NAMES.get(upload.role, "证明材料"),
    }
