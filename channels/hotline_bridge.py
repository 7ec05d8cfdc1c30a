"""The bridge to 12345 (热线对接): what the hotline's door remembers of order numbers, and asks about matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order number that came before. digest: of its newest content; changes: how often it was changed since."""

    case_no: str
    digest: str
    changes: int


@dataclass(frozen=True, slots=True)
class InProcedure:
    """The matter is being handled already, under this number. status: plain words, the same as the citizen's."""

    case_no: str
    status: str


class Bridge(Protocol):
    """What the door may ask of the house."""

    async def latest(self, order_no: str) -> KnownOrder | None:
        """What is known of the number, or None."""
        ...

    async def note(self, order_no: str, known: KnownOrder) -> None:
        """Remember the newest content of a number; returns after COMMIT."""
        ...

    async def in_procedure(self, case_no: str) -> InProcedure | None:
        """The open case the same person has about the same matter, as reading found it; None if there is none."""
        ...


class NoBridge:
    """The null twin: a house that remembers nothing."""

    async def latest(self, order_no: str) -> KnownOrder | None:
        """Nothing is known."""
        return None

    async def note(self, order_no: str, known: KnownOrder) -> None:
        """Nothing is remembered."""

    async def in_procedure(self, case_no: str) -> InProcedure | None:
        """Nothing is known."""
        return None
