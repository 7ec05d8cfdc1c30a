"""The switchboard (话务台): how a door puts a caller through to the people at the seats (坐席)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call (来电). channel and id name it for ever; number: the caller's, in E.164 where it can be, else as sent or
    empty; line: the number that was called; case_no: the case the call opened, or empty until there is one; seat: who
    has answered it (an officer's name or the extension of the telephone system), empty while it rings."""

    channel: str
    id: str
    number: str
    line: str
    at: datetime
    case_no: str = ""
    seat: str = ""


class Switchboard(Protocol):
    """What a door may ask of the seats."""

    async def ring(self, call: Call) -> bool:
        """Show the call at every seat that is open; the same call again only renews what is shown.

        Returns whether anybody sits there: a caller is not put through to an empty room.
        """
        ...

    async def over(self, channel: str, call_id: str, at: datetime) -> None:
        """The call has ended; one that was never shown changes nothing."""
        ...

    async def call_back(self, call: Call, wish: str) -> None:
        """Enter a callback (回呼) for the seats. wish: what the caller said about it, plain words; once a call."""
        ...


class NoSeats:
    """The null twin: a house without seats."""

    async def ring(self, call: Call) -> bool:
        """Nobody sits here."""
        return False

    async def over(self, channel: str, call_id: str, at: datetime) -> None:
        """Nothing was shown."""

    async def call_back(self, call: Call, wish: str) -> None:
        """Nobody would see it; the case itself waits for an officer."""
