"""Receipt (核对、提交、回执): check the answers, submit exactly once, show number and query code for half an hour."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import aiohttp_jinja2
import segno
from aiohttp import web

from channels.answers import VIAS
from channels.web import arrival_of, check_step
from gateway.drafts import COOKIE, PATH, RECEIPT, DraftDesk
from gateway.forms import read_fields
from gateway.pages.evidence import row_of
from gateway.pages.filing import answers_of, pages_for, shown, url_of, view
from gateway.pages.people import ID_TYPES, ROLE_NAMES
from gateway.pages.regions_picker import RegionPicker
from gateway.pages.schedule import next_steps
from gateway.pages.ways import Ways
from petition import numbering
from petition.arrival import Intake, Receipt, Upload
from petition.deadlines import DeadlineEngine
from petition.errors import Conflict, Problem
from petition.petition import Form, Purpose
from store.drafts import Draft

_EMPTY = dict.fromkeys(("name", "id_type", "id_no", "phone", "address", "assist_need"), "")


class ReceiptPages:
    """`/file/check` and `/file/receipt`."""

    def __init__(
        self,
        desk: DraftDesk,
        intake: Intake,
        deadlines: DeadlineEngine,
        picker: RegionPicker,
        ways: Ways,
        *,
        public_url: str,
        notice_version: str,
    ) -> None:
        self._desk = desk
        self._intake = intake
        self._deadlines = deadlines
        self._picker = picker
        self._ways = ways
        self._public_url = public_url.rstrip("/")
        self._notice_version = notice_version

    def routes(self) -> list[web.RouteDef]:
        """Check, submit, receipt on the screen and as a text file."""
        return [
            web.get(f"{PATH}/check", self.check),
            web.post(f"{PATH}/check", self.submit),
            web.get(f"{PATH}/receipt", self.receipt),
            web.get(f"{PATH}/receipt.txt", self.save),
        ]

    async def check(self, request: web.Request) -> web.StreamResponse:
        """All answers with links to change them."""
        draft = await self._desk.current(request)
        answers = answers_of(draft)
        problems = self._problems(draft)
        context = view("check", answers, problems if "fix" in request.query else ()) | {
            "open": {problem.field.partition(".")[0] for problem in problems},
            "complete": not problems,
            "people": [
                _EMPTY | shown(person) | {"role": ROLE_NAMES[answers.role(index)]}
                for index, person in enumerate(answers.named)
            ],
            "id_types": {kind.value: name for kind, name in ID_TYPES},
            "region": self._picker.full_name(answers.get("region")),
            "occurred": _day(answers.occur_time),
            "requests": [shown({"": line})[""] for line in answers.requests],
            "files": [row_of(upload) for upload in draft.uploads],
            "pages": pages_for(answers),
            "links": _links(draft, problems),
            "notice_version": self._notice_version,
            "notice_changed": "notice" in request.query,
        }
        return aiohttp_jinja2.render_template("filing/check.html", request, context)

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Hand the petition in; a second click, a reload or a lost answer gives the same receipt."""
        draft = await self._desk.current(request)
        fields = await read_fields(request)
        if self._problems(draft):
            raise web.HTTPSeeOther(f"{PATH}/check?fix=1")
        if fields.get("notice") != self._notice_version:
            # The notice was renewed while the page was open: it has to be shown before it can count as read.
            raise web.HTTPSeeOther(f"{PATH}/check?notice=1")
        answers = answers_of(draft).put({"notice": self._notice_version})
        theme = self._ways.theme_of(answers)
        if theme is not None and theme.texts.consent:
            answers = answers.put({"theme_consent": theme.texts.consent})  # the words that were shown
        origin = self._ways.origin(answers)
        # The sheet is the self-service zone's (DOMAIN 3.3: KIOSK 自助服务区二维码).
        form = Form.KIOSK if origin.site else VIAS.get(answers.get("via"), Form.WEB)
        with tempfile.TemporaryDirectory(prefix="submit-") as folder:
            uploads = [
                Upload(
                    name=upload.name,
                    media_type=upload.media_type,
                    path=await self._desk.drafts.copy_out(upload, Path(folder)),
                    role=upload.role,
                )
                for upload in draft.uploads
            ]
            digests = [upload.sha256 for upload in draft.uploads]
            arrival = arrival_of(answers, uploads, digests, raw_id_of(draft), self._desk.clock(), form, origin)
            receipt = await self._intake(arrival)
        await self._remember(request, draft, receipt)
        raise web.HTTPSeeOther(f"{PATH}/receipt")

    async def receipt(self, request: web.Request) -> web.StreamResponse:
        """Number, query code, what happens next and by when."""
        draft = await self._desk.find(request)
        if draft is None:
            raise web.HTTPSeeOther("/track" if COOKIE in request.cookies else PATH)
        if not draft.submitted:
            raise web.HTTPSeeOther(f"{PATH}/check")
        told = self._told(draft.submitted)
        told["until"] = draft.touched_at + RECEIPT
        response = aiohttp_jinja2.render_template("receipt.html", request, told)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def save(self, request: web.Request) -> web.StreamResponse:
        """The receipt as a text file to keep."""
        draft = await self._desk.find(request)
        if draft is None or not draft.submitted:
            raise web.HTTPSeeOther("/track")
        told = self._told(draft.submitted)
        text = aiohttp_jinja2.render_string("receipt.txt", request, told)
        name = quote(f"信访回执-{draft.submitted['case_no']}.txt")
        return web.Response(
            # With a byte order mark: old editors would otherwise show the Chinese words wrongly.
            body=text.replace("\n", "\r\n").encode("utf-8-sig"),
            headers={
                "Content-Type": "text/plain; charset=utf-8",
                "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
                "Cache-Control": "no-store",
            },
        )

    async def _remember(self, request: web.Request, draft: Draft, receipt: Receipt) -> None:
        """Keep the receipt for this browser; the petition is in already, so nothing typed meanwhile may prevent it."""
        kept: Draft | None = draft
        while kept is not None and not kept.submitted:
            try:
                return await self._desk.drafts.submitted(kept, receipt)
            except Conflict:  # another click was faster, or another tab kept something
                kept = await self._desk.find(request)

    def _problems(self, draft: Draft) -> tuple[Problem, ...]:
        today = self._desk.clock().date()
        return check_step("check", answers_of(draft), today=today, known_region=self._picker.known)

    def _told(self, submitted: Mapping[str, str]) -> dict[str, object]:
        received = datetime.fromisoformat(submitted["received_at"])
        purpose = Purpose(submitted["purpose"]) if submitted.get("purpose") else None
        case_no = submitted["case_no"]
        url = f"{self._public_url}/track?no={case_no}"
        return {
            "case_no": case_no,
            "case_no_shown": numbering.parse_case_no(case_no).shown,
            "query_code": numbering.shown_query_code(submitted["query_code"]),
            "spoken": spoken(submitted["query_code"]),
            "received_at": received,
            "track_url": url,
            "qr": segno.make(url, error="m", micro=False).svg_data_uri(scale=5, border=2, dark="#1a2233", light="#fff"),
            "next_steps": next_steps(self._deadlines, received.date(), purpose),
            "accusation": purpose is Purpose.ACCUSATION,
            "join": submitted.get("join") == "link" and purpose is not Purpose.ACCUSATION,
        }


def raw_id_of(draft: Draft) -> str:
    """The channel's own id of one filing: the same for every try to hand in the same content of one draft.

    The content is part of it: had a crash hidden the first receipt and the person then changed something, the changed
    petition must come in too. It is no way back to the token.
    """
    files = sorted(upload.sha256 for upload in draft.uploads)
    content = json.dumps([draft.answers, files], ensure_ascii=True, sort_keys=True).encode()
    return "draft-" + hashlib.sha256(b"\x1f".join((b"raw-id", draft.token.encode(), content))).hexdigest()[:40]


def spoken(query_code: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    """The code in fours, each character with its Chinese reading, for reading aloud."""
    fours = numbering.spoken_query_code(query_code).split(",")
    return tuple(tuple((sign[0], sign[1:]) for sign in four.split(" ") if sign) for four in fours)


def _links(draft: Draft, problems: tuple[Problem, ...]) -> list[dict[str, str]]:
    """Each page with something to mend, once, with the words of its first problem."""
    answers = answers_of(draft)
    pages = {
        "manner": "who", "people": "people", "headcount": "people", "region": "region", "occur_place": "scene",
        "year": "scene", "month": "scene", "day": "scene", "purpose": "purpose", "title": "story", "content": "story",
        "requests": "requests", "accused_unit": "accused", "accused_name": "accused", "accused_post": "accused",
        "is_public": "wishes", "confidential": "wishes",
    }  # fmt: skip
    links: dict[str, dict[str, str]] = {}
    for problem in problems:
        head, _, tail = problem.field.partition(".")
        page = pages[head]
        url = url_of(page, answers)
        if head == "people" and tail:
            url = f"{PATH}/person/{int(tail.partition('.')[0]) + 1}"
        links.setdefault(url, {"href": f"{url}?fix=1&from=check", "words": problem.words})
    return list(links.values())


def _day(text: str) -> str:
    """2026年1月 for 2026-01; what is no date stays as it was typed, to be mended."""
    parts = text.split("-") if text else []
    if not all(part.isascii() and part.isdigit() for part in parts):
        return text
    return "".join(f"{int(part)}{unit}" for part, unit in zip(parts, "年月日", strict=False))
