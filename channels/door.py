"""The door (渠道门): what every channel is to the house, and the functions a door is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aiohttp import web

from petition.arrival import Arrival, Intake
from petition.clock import Clock


class Refuse(Protocol):
    """Keep an input that can be no petition (拒收登记): ledgered with its reason, bounded and rate-limited."""

    async def __call__(self, arrival: Arrival, reason: str) -> None:
        """reason: a stable code."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """Everything a door may use of the house; it never sees the store.

    known_region: whether a region code exists; max_body, max_upload: bytes; spool: folder for bodies on their way in.
    """

    intake: Intake
    refuse: Refuse
    clock: Clock
    known_region: Callable[[str], bool]
    public_url: str
    max_body: int
    max_upload: int
    spool: Path


class Door(Protocol):
    """One channel. `name` is what stands in GATEWAY_CHANNELS and in the ledger."""

    name: str

    def routes(self, hall: Hall) -> list[web.RouteDef]:
        """The routes machines call; a door whose pages stand in the hall (web) has none."""
        ...
