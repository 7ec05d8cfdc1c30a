"""The door (渠道门): what every channel is to the house, and the functions a door is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable

from aiohttp import web
from pydantic import SecretStr

from channels.faxbox import Faxbox
from channels.hotline_bridge import Bridge, NoBridge
from channels.notebook import Notebook, PocketNotebook
from channels.postbox import Postbox
from channels.provider import NoProvider, Provider
from channels.switchboard import NoSeats, Switchboard
from channels.telephone import Telephone
from channels.texting import NoTexting, Texting
from channels.wechat_account import OfficialAccount
from config.themes import Themes
from petition.arrival import Arrival, Intake
from petition.clock import Clock
from petition.errors import NotFound


class Refuse(Protocol):
    """Keep an input that can be no petition (拒收登记): ledgered with its reason, bounded and rate-limited."""

    async def __call__(self, arrival: Arrival, reason: str) -> None:
        """reason: a stable code."""
        ...


class Enquiries(Protocol):
    """What a door may ask about cases (查询); it learns a number or a word of the status, never the content."""

    async def status_words(self, case_no: str, query_code: str) -> str:
        """Where the case stands, in one plain sentence. NotFound for a wrong number or code alike; TooMany."""
        ...

    async def status_by_keys(self, case_keys: str, code_keys: str) -> str:
        """As `status_words`, for number and code typed on a telephone (`petition.keypad`)."""
        ...

    async def recent_case(self, channel: str, kind: str, value: str, within: timedelta) -> str:
        """The newest case of a channel from this sender (look-up kind and normal value) in the window, or empty."""
        ...

    async def case_of(self, channel: str, raw_id: str) -> str:
        """The case of the first event with this id, or empty."""
        ...

    async def digest_of(self, channel: str, raw_id: str) -> str:
        """SHA-256 in hex of the first event with this id, or empty: whether the same id brings something new."""
        ...

    async def thread(self, channel: str, ids: Sequence[str]) -> str:
        """The newest case of a channel whose conversation has one of these ids, or empty."""
        ...

    async def is_sender(self, case_no: str, kind: str, value: str) -> bool:
        """Whether the case came from this person; False for a number that does not exist."""
        ...


class NoEnquiries:
    """The null twin: a house that remembers nothing."""

    async def status_words(self, case_no: str, query_code: str) -> str:
        """Nothing is known."""
        raise NotFound()

    async def status_by_keys(self, case_keys: str, code_keys: str) -> str:
        """Nothing is known."""
        raise NotFound()

    async def recent_case(self, channel: str, kind: str, value: str, within: timedelta) -> str:
        """Nothing is known."""
        return ""

    async def case_of(self, channel: str, raw_id: str) -> str:
        """Nothing is known."""
        return ""

    async def digest_of(self, channel: str, raw_id: str) -> str:
        """Nothing is known."""
        return ""

    async def thread(self, channel: str, ids: Sequence[str]) -> str:
        """Nothing is known."""
        return ""

    async def is_sender(self, case_no: str, kind: str, value: str) -> bool:
        """Nothing is known."""
        return False


def unlimited(sender: str) -> None:
    """The null twin of a limiter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """Everything a door may use of the house; it never sees the store.

    max_body, max_upload: bytes; spool: folder for bodies on their way in; known_region: whether a region code exists;
    api_keys: of other systems; twilio_auth_token: signs the webhooks of text messages; postbox, faxbox: what the mail
    and the fax door are set to; limit: takes one of what a sender (an address) may send, raises TooMany; switchboard:
    the seats; bridge: what is remembered of the orders of 12345; notebook: what is remembered of conversations;
    wechat: the official account;
    texting: text messages that leave the house, and who wants none;
    provider: the interface of the provider of text messages and telephone; telephone: what the voice door is set to;
    themes: the theme channels, open or not.
    """

    intake: Intake
    refuse: Refuse
    clock: Clock
    known_region: Callable[[str], bool]
    public_url: str
    max_body: int
    max_upload: int
    spool: Path
    enquiries: Enquiries = field(default_factory=NoEnquiries)
    api_keys: frozenset[str] = frozenset()
    twilio_auth_token: SecretStr = field(default_factory=lambda: SecretStr(""))
    postbox: Postbox | None = None
    faxbox: Faxbox | None = None
    limit: Callable[[str], None] = unlimited
    switchboard: Switchboard = field(default_factory=NoSeats)
    bridge: Bridge = field(default_factory=NoBridge)
    notebook: Notebook = field(default_factory=PocketNotebook)
    wechat: OfficialAccount = field(default_factory=OfficialAccount)
    texting: Texting = field(default_factory=NoTexting)
    provider: Provider = field(default_factory=NoProvider)
    themes: Themes = field(default_factory=Themes)
    telephone: Telephone = field(default_factory=Telephone)


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What a round of catching up brought (补收), by kind: messages, calls, recordings."""

    counts: Mapping[str, int]


class Door(Protocol):
    """One channel. `name` is what stands in GATEWAY_CHANNELS and in the ledger."""

    name: str

    def routes(self, hall: Hall) -> list[web.RouteDef]:
        """The routes machines call; a door whose pages stand in the hall (web) has none."""
        ...


class Listener(Protocol):
    """A listening socket of a door that does not speak HTTP."""

    async def stop(self) -> None:
        """No new sessions; open ones are told to come again, what is being entered is finished."""
        ...


@runtime_checkable
class Listening(Protocol):
    """A door with a listener of its own."""

    async def listen(self, hall: Hall) -> Listener:
        """Open the listener on the running loop; OSError when the address is taken."""
        ...


@runtime_checkable
class Tending(Protocol):
    """A door that keeps something open between requests and has to look after it when none comes any more."""

    name: str

    async def tend(self, hall: Hall) -> int:
        """Finish what stands still; how much was finished. Called every minute, by every process."""
        ...


@runtime_checkable
class Reconciling(Protocol):
    """A door whose provider keeps lists of its own, so that what no webhook brought can be taken in (对账补收)."""

    name: str

    async def catch_up(self, hall: Hall, since: datetime) -> CaughtUp:
        """Take in what happened since then (aware) and is not known; what is known is not entered again.

        The same event told by a webhook and by a list is one event: `Arrival.event`. Raises Unavailable if anything
        has to be tried again: the next round then begins at the same moment.
        """
        ...
