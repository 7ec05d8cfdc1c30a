"""The workplace (工作台总装): builds the pages of officers from the parts of a house."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from casework.corrections import Corrections
from casework.decisions import Decisions
from casework.desk import Desk
from casework.permissions import ConflictGuard, Permissions
from casework.unit_search import UnitSearch
from config.reference import Reference
from gateway.auth import Gate, Passwords
from gateway.pages.case import CasePages
from gateway.pages.case_room import CaseRoom
from gateway.pages.case_view import CaseViews
from gateway.pages.correction import CorrectionPages
from gateway.pages.desk import DeskPages
from gateway.pages.signin import SignInPages
from normalizer.intake import look_up_codes
from petition.deadlines import DeadlineEngine
from store.database import Store


class Workplace:
    """Everything under `/desk`. guard: why a unit may not have a petition; woken: an order may wait to leave."""

    def __init__(
        self,
        store: Store,
        reference: Reference,
        deadlines: DeadlineEngine,
        guard: ConflictGuard,
        passwords: Passwords,
        woken: Callable[[], None],
        *,
        office_region: str,
        over_tls: bool,
    ) -> None:
        self.gate = Gate(store, passwords, over_tls=over_tls)
        permissions = Permissions(
            roles=reference.roles, units=reference.units, office_region=office_region, guard=guard
        )
        desk = Desk(permissions, deadlines)
        views = CaseViews(reference.regions, reference.categories, reference.units, reference.themes)
        decisions = Decisions(
            permissions=permissions,
            corrections=Corrections(reference.regions, reference.categories),
            guard=guard,
            look_up_codes=look_up_codes,
        )
        queues = DeskPages(store, self.gate, desk, views, reference.roles)
        room = CaseRoom(store, desk, views, queues)
        units = UnitSearch(reference.units, reference.regions)
        self._pages: tuple[Any, ...] = (
            SignInPages(self.gate),
            queues,
            CasePages(self.gate, room, decisions, woken),
            CorrectionPages(self.gate, room, decisions, units, reference.categories, woken),
        )

    def routes(self) -> list[web.RouteDef]:
        """All routes of the desk."""
        return [route for page in self._pages for route in page.routes()]
