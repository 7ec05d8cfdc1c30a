"""The portal (门户): every page people see, its templates, and what all templates may use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
import structlog
from aiohttp import web

from casework.rating import Ratings
from channels import web as web_door
from gateway.csrf import Csrf
from gateway.drafts import DraftDesk, StoredDrafts
from gateway.group_desk import GroupDesk
from gateway.house import House
from gateway.keys import CSRF, KIOSK
from gateway.kiosk import Kiosks
from gateway.limiter import Limiter
from gateway.mobile_proof import MobileProof, NoSender, Sender
from gateway.pages.display import Display, DisplayPage, asset_urls, display_of
from gateway.pages.evidence import EvidencePages
from gateway.pages.filing import FilingPages
from gateway.pages.group import GroupPages
from gateway.pages.guide import GuidePages
from gateway.pages.home import HomePage
from gateway.pages.join import JoinPages, member_cookie
from gateway.pages.kiosk import KioskPages
from gateway.pages.people import PeoplePages
from gateway.pages.rate import RatePage
from gateway.pages.receipt import ReceiptPages
from gateway.pages.regions_picker import RegionPicker
from gateway.pages.supplement import SupplementPage
from gateway.pages.track import CaseCookie, StoredCases, TrackPages
from gateway.pages.ways import Ways
from gateway.sites import Sites
from petition import clock
from petition.arrival import Intake

log = structlog.get_logger(__name__)

TEMPLATES = Path(__file__).parent / "templates"


class Portal:
    """Builds the pages from the parts of a house."""

    def __init__(self, house: House, intake: Intake, csrf: Csrf, static: Path, codes: Sender | None = None) -> None:
        settings, reference = house.settings, house.reference
        self._csrf = csrf
        self._asset = asset_urls(static)
        self._settings = settings
        self._office = reference.office.known_as(
            name=settings.office_name,
            address=settings.office_address,
            phone=settings.office_phone,
            hours=settings.office_hours,
            mailbox=next(iter(settings.mailboxes), ""),
        )
        secure = settings.over_tls
        self._ways = ways = Ways(reference.themes, Sites(settings.data), clock.now, secure=secure)
        picker = RegionPicker(reference.regions, home=settings.region)
        desk = DraftDesk(StoredDrafts(house.store), clock.now, secure)
        ratings = Ratings(reference.ratings, house.deadlines)
        cookie = CaseCookie(house.store.vault, clock.now, secure)
        self._kiosks = Kiosks(settings.kiosk)
        largest = int(settings.max_upload)
        group = GroupDesk(house.store, reference.group)
        proof = MobileProof(codes or NoSender(), house.store.vault, clock.now, reference.group.code_minutes)
        join = JoinPages(group, intake, proof, member_cookie(cookie), clock.now, notice_version=settings.notice_version)
        self._pages: list[Any] = [
            HomePage(self._office, settings.channels, house.deadlines, ways),
            GuidePages(self._office, house.deadlines, notice_version=settings.notice_version),
            DisplayPage(secure=secure),
            KioskPages(
                self._kiosks,
                desk,
                cookie,
                web_open=web_door.NAME in settings.channels,
                video_open="video" in settings.channels,
                secure=secure,
            ),
            TrackPages(
                StoredCases(house.store),
                cookie,
                Limiter(10, 10),
                house.deadlines,
                reference.units,
                ratings,
                clock.now,
                join,
            ),
            GroupPages(group, cookie, clock.now, public_url=settings.public_url),
            join,
            RatePage(house.store, cookie, ratings, clock.now),
            SupplementPage(cookie, intake, clock.now, csrf.check_token, max_file=largest),
        ]
        if web_door.NAME not in settings.channels:
            return  # tracking stays: what came by another channel is looked up here too
        self._pages += [
            picker,
            ways,
            FilingPages(desk, picker, ways),
            PeoplePages(desk),
            EvidencePages(desk, csrf.check_token, max_file=largest),
            ReceiptPages(
                desk,
                intake,
                house.deadlines,
                picker,
                ways,
                public_url=settings.public_url,
                notice_version=settings.notice_version,
            ),
        ]

    def routes(self) -> list[web.RouteDef]:
        """All routes of all pages."""
        return [route for page in self._pages for route in page.routes()]

    def set_up(self, app: web.Application) -> None:
        """Give the application its templates."""
        environment = aiohttp_jinja2.setup(
            app,
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals["asset"] = self._asset
        environment.globals["theme_of"] = self._ways.theme_of

    def prepare(self, request: web.Request) -> None:
        """What every template may use, for the requests that end in a page; the doors of machines do without."""
        token = request.get(CSRF, "")
        kiosk = request[KIOSK] = self._kiosks.of(request)
        request[aiohttp_jinja2.REQUEST_CONTEXT_KEY] = {
            "csrf_token": lambda: token,
            "display": display_of(request) if kiosk is None else Display("large", display_of(request).theme),
            "kiosk": kiosk,
            "office": self._office,
            "request": request,
            "here": request.path_qs,
            "channels": self._settings.channels,
        }

    def error_page(self, request: web.Request, status: int, code: str, words: str) -> web.Response:
        """An error in the design of the house; plain text if even that fails."""
        visitor, new = self._csrf.visitor(request)
        request.setdefault(CSRF, self._csrf.token(visitor))
        self.prepare(request)
        try:
            context = {"status": status, "code": code, "words": words}
            answer = aiohttp_jinja2.render_template("error.html", request, context, status=status)
        except Exception:
            log.exception("the error page itself failed")
            return web.Response(status=status, text=words)
        if new:
            self._csrf.set_cookie(answer, visitor)
        return answer
