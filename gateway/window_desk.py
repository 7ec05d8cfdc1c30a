"""The window desk (窗口): the parts of the house that the pages of the counter and of the village agents share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from casework.corrections import Corrections
from casework.desk import Desk, Item
from casework.permissions import Verb
from channels.answers import Answers
from config.regions import Regions
from config.roles import Roles
from config.visits import Visits
from gateway.auth import Gate, Sitting
from gateway.clerk_drafts import ClerkDrafts
from gateway.drafts import FILES_MAX
from gateway.forms import Parts, read_fields, read_parts
from gateway.pages.case_view import CaseViews, Row
from petition.arrival import Intake
from petition.clock import Clock
from petition.deadlines import DeadlineEngine
from petition.errors import Forbidden, NotFound
from petition.status import is_open
from store.database import Store
from store.petitions import Case
from store.transaction import Transaction

_NEAR = 50  # places of one name that are looked through
_EARLIER = 10  # cases of one person that a page can show


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowDesk:
    """home: the office's region; max_file: bytes; menu: (path, words, verb) of the rooms that are open."""

    store: Store
    gate: Gate
    drafts: ClerkDrafts
    intake: Intake
    desk: Desk
    views: CaseViews
    corrections: Corrections
    regions: Regions
    roles: Roles
    visits: Visits
    deadlines: DeadlineEngine
    clock: Clock
    home: str
    office_name: str
    public_url: str
    notice_version: str
    max_file: int
    menu: Sequence[tuple[str, str, Verb]]

    @asynccontextmanager
    async def parts(self, request: web.Request, max_fields: int = 100) -> AsyncIterator[Parts]:
        """The fields and files of a form with files, its token checked before the first of them.

        Urlencoded it comes when the sign-in had run out and what was typed was carried over; files are chosen again.
        """
        if request.content_type == "application/x-www-form-urlencoded":
            await self.gate.check_csrf(request, request.cookies.get(self.gate.cookie, ""))
            yield Parts(await read_fields(request))
            return
        parts = read_parts(
            request,
            check_csrf=self.gate.check_token,
            max_file=self.max_file,
            max_files=FILES_MAX,
            max_fields=max_fields,
        )
        async with parts as given:
            yield given

    def require(self, sitting: Sitting, verb: Verb) -> None:
        """Raise Forbidden unless the officer's post has the verb."""
        if not self.desk.permissions.has(sitting.officer, verb):
            raise Forbidden(f"您的岗位不能办理“{self.roles.verbs[verb.value]}”。")

    def region_of(self, text: str) -> str:
        """The code of a place as a clerk writes it, of the same names the one in the office's own region; or empty."""
        text = text.strip()
        code = self.corrections.region(text)[0] if text else ""
        if code or not text:
            return code
        near = [place for place in self.regions.search(text, within=self.home, limit=_NEAR) if place.name == text]
        return near[0].code if len(near) == 1 else ""

    def known_region(self, code: str) -> bool:
        """Whether a region code exists."""
        return self.regions.find(code) is not None

    def frame(self, sitting: Sitting, here: str) -> dict[str, Any]:
        """What every page gives the layout."""
        return {
            "sitting": sitting,
            "csrf": sitting.csrf,
            "role_words": self.roles.labels(sitting.officer.roles),
            "menu": [
                (path, words, path == here)
                for path, words, verb in self.menu
                if self.desk.permissions.has(sitting.officer, verb)
            ],
        }

    async def earlier(self, sitting: Sitting, answers: Answers) -> list[Row]:
        """Open cases of the people named, found by the blind index and masked; every look is on the audit trail."""
        officer, permissions = sitting.officer, self.desk.permissions
        if not permissions.has(officer, Verb.SEARCH):
            return []
        typed = [person.get(name, "").strip() for person in answers.named for name in ("id_no", "phone")]
        keys = list(dict.fromkeys(key for key in typed if key))

        def look(tx: Transaction) -> list[Case]:
            found: dict[str, Case] = {}
            for key in keys:
                try:
                    for case in self.desk.search(tx, officer, key, sitting.address):
                        found.setdefault(case.case_no, case)
                except NotFound:  # a passport number or half a telephone number is no key
                    continue
            return list(found.values())

        cases = [case for case in await self.store.write(look) if is_open(case.status)] if keys else []
        today = self.clock().date()
        newest = sorted(cases, key=lambda case: case.received_at, reverse=True)[:_EARLIER]
        return [self.views.row(Item(case=case, lamp=self.desk.lamp(case, today))) for case in newest]
