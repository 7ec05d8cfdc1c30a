"""The switchboard (话务台): implements `channels.switchboard.Switchboard` over the store and the pages of the seats."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from casework.calls import Calls
from channels.switchboard import Call
from store.database import Store


class SeatBoard:
    """What doors tell the seats. woken: called after every change, so that pages hear of it at once."""

    def __init__(self, store: Store, calls: Calls, woken: Callable[[], None]) -> None:
        self._store = store
        self._calls = calls
        self._woken = woken

    async def ring(self, call: Call) -> bool:
        """Show the call at every open seat; whether anybody sits there."""
        seated = await self._store.write(
            lambda tx: self._calls.ring(
                tx,
                channel=call.channel,
                call_id=call.id,
                number=call.number,
                line=call.line,
                at=call.at,
                case_no=call.case_no,
                seat=call.seat,
            )
        )
        self._woken()
        return seated

    async def over(self, channel: str, call_id: str, at: datetime) -> None:
        """The call has ended; nobody answered it: a callback waits from now on."""
        await self._store.write(lambda tx: self._calls.over(tx, channel, call_id, at))
        self._woken()

    async def call_back(self, call: Call, wish: str) -> None:
        """Enter a callback, once a call."""
        await self._store.write(
            lambda tx: self._calls.call_back(
                tx,
                channel=call.channel,
                call_id=call.id,
                number=call.number,
                line=call.line,
                at=call.at,
                wish=wish,
                case_no=call.case_no,
            )
        )
        self._woken()
