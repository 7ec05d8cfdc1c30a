"""The counter (窗口总装): builds the pages of the reception counter from the parts of a house."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from casework.corrections import Corrections
from casework.desk import Desk
from casework.permissions import Permissions, Verb
from channels import proxy, visit
from gateway.auth import Gate
from gateway.clerk_drafts import ClerkDrafts
from gateway.house import House
from gateway.pages import proxy as proxy_pages
from gateway.pages import waiting, window
from gateway.pages.case_view import CaseViews
from gateway.pages.proxy import ProxyPages
from gateway.pages.waiting import QueueBoard, WaitingPages
from gateway.pages.window import WindowPages
from gateway.pages.window_record import WindowRecordPages
from gateway.window_desk import WindowDesk
from petition.arrival import Intake

_ROOMS = (
    ("/desk", "工作台", Verb.LIST, ""),
    (waiting.DESK, "候访叫号", Verb.REGISTER_VISIT, visit.NAME),
    (window.PATH, "来访登记", Verb.REGISTER_VISIT, visit.NAME),
    (proxy_pages.PATH, "代群众反映", Verb.FILE_FOR, proxy.NAME),
)


class Counter:
    """The pages of visits, as far as their channels are open."""

    def __init__(self, house: House, intake: Intake, gate: Gate) -> None:
        settings, reference = house.settings, house.reference
        permissions = Permissions(
            roles=reference.roles,
            units=reference.units,
            office_region=settings.region,
            guard=house.routing.conflict,
        )
        corrections = Corrections(reference.regions, reference.categories)
        self._pages: list[Any] = []

        def desk(cookie: str, path: str) -> WindowDesk:
            return WindowDesk(
                store=house.store,
                gate=gate,
                drafts=ClerkDrafts(
                    store=house.store, clock=house.store.clock, cookie=cookie, path=path, secure=settings.over_tls
                ),
                intake=intake,
                desk=Desk(permissions, house.deadlines),
                views=CaseViews(reference.regions, reference.categories, reference.units),
                corrections=corrections,
                regions=reference.regions,
                roles=reference.roles,
                visits=reference.visits,
                deadlines=house.deadlines,
                clock=house.store.clock,
                home=settings.region,
                office_name=house.office_name,
                public_url=settings.public_url,
                notice_version=settings.notice_version,
                max_file=int(settings.max_upload),
                menu=[
                    (path, words, verb)
                    for path, words, verb, channel in _ROOMS
                    if not channel or channel in settings.channels
                ],
            )

        if visit.NAME in settings.channels:
            shared = desk("visit-draft", window.PATH)
            form = WindowPages(shared)
            self._pages += [form, WindowRecordPages(shared, form), WaitingPages(shared), QueueBoard(shared)]
        if proxy.NAME in settings.channels:
            self._pages.append(ProxyPages(desk("proxy-draft", proxy_pages.PATH)))

    def routes(self) -> list[web.RouteDef]:
        """All routes of the counter."""
        return [route for page in self._pages for route in page.routes()]
