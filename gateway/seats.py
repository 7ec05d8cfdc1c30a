"""The seats (话务台总装): builds the pages of the hotline seat from the parts of a house."""

from __future__ import annotations

from aiohttp import web

from casework.calls import Calls
from config.reference import Reference
from gateway.auth import Gate
from gateway.pages.regions_picker import RegionPicker
from gateway.pages.seat import SeatPages
from gateway.pages.seat_room import SeatRoom
from gateway.pages.seat_sheet import SheetPages
from gateway.seat_feed import SeatFeed
from petition.arrival import Intake
from store.database import Store


class Seats:
    """Everything under `/desk/seat`. home: the office's region; texting: whether receipts may go by text message."""

    def __init__(
        self,
        store: Store,
        reference: Reference,
        gate: Gate,
        calls: Calls,
        feed: SeatFeed,
        intake: Intake,
        *,
        home: str,
        texting: bool,
    ) -> None:
        regions = reference.regions
        room = SeatRoom(store, calls, reference, RegionPicker(regions, home=home), texting)

        def known_region(code: str) -> bool:
            return code in regions or regions.find(code) is not None

        self._pages = (SeatPages(gate, room, feed), SheetPages(gate, room, feed, intake, known_region))

    def routes(self) -> list[web.RouteDef]:
        """All routes of the seat."""
        return [route for page in self._pages for route in page.routes()]
