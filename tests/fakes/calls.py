"""Telephone calls (电话): the voice door over real HTTP, the provider's stand-in, and a desk that remembers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from channels.door import Hall
from channels.notebook import PocketNotebook
from channels.provider import Account, Twilio
from channels.switchboard import Call
from channels.telephone import Telephone
from channels.voice import Voice
from gateway.demo.caller import Played, Turn, play
from gateway.demo.provider import ACCOUNT, TOKEN, Answer, Home, StandIn
from petition.arrival import Arrival, Receipt
from tests.fakes.texts import MAX_BODY, MOBILE, TextDesk, answered

PUBLIC = "https://petitions.example/gw"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt fictional"


@dataclass
class CallDesk(TextDesk):
    """Intake, refusals and enquiries of calls; files holds the bodies that came with an arrival by its raw_id."""

    files: dict[str, list[bytes]] = field(default_factory=dict)
    keys: list[tuple[str, str]] = field(default_factory=list)

    async def take(self, arrival: Arrival) -> Receipt:
        """As the house: what comes by path is read, and its place in the spool is taken over."""
        receipt = await super().take(arrival)
        bodies = [upload.path.read_bytes() for upload in arrival.uploads if upload.path is not None]
        self.files.setdefault(arrival.raw_id, bodies)
        return replace(receipt, texted=bool(arrival.text_to) and self.texts)

    texts: bool = False

    async def status_by_keys(self, case_keys: str, code_keys: str) -> str:
        """What the test set."""
        self.keys.append((case_keys, code_keys))
        if isinstance(self.status, Exception):
            raise self.status
        return self.status

    @property
    def recordings(self) -> list[Arrival]:
        """The arrivals that brought a file."""
        return [arrival for arrival in self.arrivals if arrival.uploads]


@dataclass
class Seats:
    """A switchboard that remembers. open: whether anybody sits there."""

    open: bool = True
    rung: list[Call] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    wanted: list[tuple[Call, str]] = field(default_factory=list)

    async def ring(self, call: Call) -> bool:
        """Remember it."""
        self.rung.append(call)
        return self.open

    async def over(self, channel: str, call_id: str, at: datetime) -> None:
        """Remember it."""
        self.ended.append(call_id)

    async def call_back(self, call: Call, wish: str) -> None:
        """Remember it."""
        self.wanted.append((call, wish))


@dataclass
class Exchange:
    """The door, who stands behind it, and the provider in front of it."""

    door: Voice
    hall: Hall
    desk: CallDesk
    seats: Seats
    twilio: StandIn
    home: Home

    async def call(self, turns: Iterable[Turn] = (), **more: Any) -> Played:
        """Play a call; what the provider could not execute is a failure."""
        played = await play(self.twilio, self.home, turns, caller=more.pop("caller", MOBILE), **more)
        assert played.trouble == ""
        return played

    async def post(self, path: str, form: dict[str, str]) -> Answer:
        """One signed webhook."""
        return await self.twilio.post(self.home, path, form)

    async def later(self, minutes: float = 11) -> int:
        """Let time pass and look after the calls; how many were finished."""
        self.desk.now += timedelta(minutes=minutes)
        return await self.door.tend(self.hall)

    async def page(self, sid: str) -> Any:
        """What the notebook still holds of a call, or None."""
        page = await self.hall.notebook.look("voice", sid)
        return None if page is None else page.content


@dataclass
class Installation:
    """Opens exchanges and closes them again."""

    spool: Path
    twilio: StandIn
    servers: list[TestServer] = field(default_factory=list)
    clients: list[Twilio] = field(default_factory=list)

    async def open(self, telephone: Telephone | None = None, **changes: Any) -> Exchange:
        """A door of its own over a desk of its own."""
        desk, seats, door = CallDesk(), Seats(), Voice()
        account = Account(sid=ACCOUNT, token=SecretStr(TOKEN), base=self.twilio.url, max_file=1 << 20, spool=self.spool)
        client = Twilio(account)
        hall = Hall(
            intake=desk.take,
            refuse=desk.refuse,
            clock=lambda: desk.now,
            known_region=bool,
            public_url=PUBLIC,
            max_body=MAX_BODY,
            max_upload=1 << 20,
            spool=self.spool,
            enquiries=desk,
            twilio_auth_token=SecretStr(TOKEN),
            switchboard=seats,
            notebook=PocketNotebook(lambda: desk.now),
            provider=client,
            telephone=telephone or Telephone(office="示例省信访局", notice="2026-11"),
        )
        hall = replace(hall, **changes)
        app = web.Application(middlewares=[answered])
        app.add_routes(door.routes(hall))
        server = TestServer(app)
        self.servers.append(server)
        self.clients.append(client)
        await server.start_server()
        home = Home(str(server.make_url("")).rstrip("/"), PUBLIC)
        return Exchange(door, hall, desk, seats, self.twilio, home)

    async def close(self) -> None:
        """Close every door."""
        for server in self.servers:
            await server.close()
        for client in self.clients:
            await client.close()


def verbs(document: str) -> list[str]:
    """The verbs of a TwiML document."""
    return [verb.tag for verb in ElementTree.fromstring(document)]
